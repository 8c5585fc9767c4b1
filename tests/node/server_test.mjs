// SPDX-License-Identifier: Apache-2.0
//
// Goal: the broker inside a Node process starts, tells of itself, logs where it is told to, stops,
// and is lost and found again by its clients; the helper of node:test gives each test its own.
// Method: no broker but ours.
import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { inspect } from "node:util";
import {
  AddressInUseError, AuthorizationError, connect, linkedVersions, NoServersError, OptionsError,
  Server, StateError,
} from "martlet";
import { testConnection, testServer, withServer } from "martlet/testing";
import { until, within } from "./brokers.mjs";

test("what is linked in is told", () => {
  const versions = linkedVersions();
  for (const name of ["OpenSSL", "libevent"]) assert.match(versions[name], /^[0-9]/);
});

test("a random port, a URL, statistics, and a second start", async (context) => {
  const server = await testServer(context);
  assert.ok(server.port > 0);
  assert.equal(server.url, `nats://127.0.0.1:${server.port}`);
  assert.equal(server.monitoringPort, 0);
  const connection = await connect(server.url);
  await connection.flush();
  assert.equal(server.statistics().connections, 1);
  await connection.close();
  await assert.rejects(server.start(), StateError);
  await assert.rejects(Server.start({ port: server.port }), AddressInUseError);
  assert.ok(server.isRunning);
  assert.equal(inspect(server), `Server { isRunning: true, url: '${server.url}' }`);
  assert.equal(inspect(new Server()), "Server { isRunning: false }");
});

test("no port at all", async () => {
  await using(await Server.start({ listen: false }), async (server) => {
    assert.equal(server.port, 0);
    assert.equal(server.url, "");
    const connection = await connect(server);
    assert.equal(connection.getServer(), "in-process");
    connection.publish("x");
    await connection.flush();
    assert.equal(server.statistics().in_msgs, 1);
    await connection.close();
  });
});

/** `await using` for the versions of Node that cannot read it. */
async function using(thing, body) {
  try {
    await body(thing);
  } finally {
    await thing[Symbol.asyncDispose]();
  }
}

test("users, tokens and what the server refuses", async (context) => {
  const server = await testServer(context, { user: "joe", pass: "secret" });
  await assert.rejects(connect(server.url), AuthorizationError);
  await assert.rejects(connect(server.url, { user: "joe", pass: "no" }), AuthorizationError);
  await (await connect(server.url, { user: "joe", pass: "secret" })).close();
  const other = await testServer(context, { config: 'authorization { token: "t" }' });
  await (await connect(other.url, { token: "t" })).close();
});

test("the log goes to a function, and what that throws is a warning", async () => {
  const lines = [];
  const server = new Server({ logLevel: "debug", log: (level, line) => lines.push([level, line]) });
  await server.start();
  const connection = await connect(server.url);
  await connection.close();
  await server.stop();
  assert.ok(lines.some(([level]) => level === "info"), JSON.stringify(lines));
  assert.ok(lines.some(([level]) => level === "debug"), JSON.stringify(lines));
  const warned = new Promise((resolve) => process.once("warning", resolve));
  const throwing = new Server({
    log: () => {
      throw new Error("in the log");
    },
  });
  await throwing.start();
  assert.match((await within(5_000, warned)).message, /in the log/);
  await throwing.stop();
});

test("monitoring pages", async (context) => {
  const server = await testServer(context, { httpPort: 0, spinMicroseconds: 20 });
  const answer = await fetch(`http://127.0.0.1:${server.monitoringPort}/varz`);
  assert.equal((await answer.json()).connections, 0);
});

test("a client finds its server again", async () => {
  const server = await Server.start();
  const { port } = server;
  const connection = await connect(server.url, { reconnectTimeWait: 20, reconnectJitter: 0 });
  const events = [];
  const listening = (async () => {
    for await (const event of connection.status()) events.push(event.type);
  })();
  const got = [];
  connection.subscribe("again", { callback: (_, message) => got.push(message.string()) });
  await connection.flush();
  await server.stop();
  await until(() => events.includes("disconnect"));
  connection.publish("again", "kept");
  const second = await Server.start({ port });
  await until(() => events.includes("reconnect"), 10_000);
  await until(() => got.includes("kept"));
  assert.equal(connection.stats().reconnects, 1);
  await connection.close();
  await within(5_000, listening);
  assert.ok(events.indexOf("disconnect") < events.indexOf("reconnecting"));
  await second.stop();
});

const A_MINUTE = { timeout: 60_000 };

test("what waits for room outlives a lost connection, in order", A_MINUTE, async (context) => {
  const server = await Server.start();
  context.after(() => server.stop());
  const { port } = server;
  const connection = await connect(server.url, {
    maxPendingBytes: 65_536, reconnectBufferBytes: 65_536, reconnectTimeWait: 20,
    reconnectJitter: 0,
  });
  const refused = [];
  const listening = (async () => {
    for await (const event of connection.status()) if (event.type === "error") refused.push(event);
  })();
  const seen = [];
  connection.subscribe("w", { callback: (_, message) => seen.push(Number(message.string())) });
  await connection.flush();
  // The server takes much while this thread publishes: until something has to wait.
  let count = 0;
  let waited = 0;
  for (; count < 50_000 || (waited === 0 && count < 5_000_000); count++) {
    if (!connection.publish("w", `${count}`.padEnd(100))) waited++;
  }
  assert.ok(waited > 0);
  await server.stop();
  const second = await Server.start({ port });
  await within(30_000, connection.ready());
  await until(() => seen.at(-1) === count - 1, 30_000);
  // What was under way when the connection broke may be lost; nothing comes twice or too early.
  for (let i = 1; i < seen.length; i++) assert.ok(seen[i] > seen[i - 1], `${i}: ${seen[i]}`);
  assert.deepEqual(refused, []);
  await connection.close();
  await within(5_000, listening);
  await second.stop();
});

test("a client in the process outlives its server, and finds it started again", async () => {
  const server = await Server.start({ listen: false });
  const connection = await connect(server, { reconnectTimeWait: 20, reconnectJitter: 0 });
  await server.stop();
  await server.start();
  await until(async () => connection.flush({ timeout: 500 }).then(() => true, () => false), 10_000);
  await connection.close();
  await server.stop();
});

test("a connection that may not reconnect tells why it ended", async () => {
  const server = await Server.start();
  const connection = await connect(server.url, { reconnect: false });
  const reading = connection.subscribe("x");
  const refused = assert.rejects(reading.next(), { code: "ERR_CLOSED" });
  const closed = connection.closed();
  await server.stop();
  assert.ok((await within(5_000, closed)) instanceof Error);
  await within(5_000, refused);
  assert.throws(() => connection.publish("x"), { code: "ERR_CLOSED" });
  await assert.rejects(connection.request("x"), { code: "ERR_CLOSED" });
});

test("nobody listens", async () => {
  const port = await within(5_000, new Promise((resolve) => {
    const taken = net.createServer().listen(0, "127.0.0.1", () => {
      const { port: free } = taken.address();
      taken.close(() => resolve(free));
    });
  }));
  await assert.rejects(connect(`nats://127.0.0.1:${port}`), NoServersError);
});

test("connecting can be aborted", async (context) => {
  const silent = net.createServer(() => {}).listen(0, "127.0.0.1");
  context.after(() => silent.close());
  await new Promise((resolve) => silent.once("listening", resolve));
  const url = `nats://127.0.0.1:${silent.address().port}`;
  const signal = AbortSignal.timeout(50);
  await assert.rejects(within(10_000, connect(url, { signal, timeout: 20_000 })), {
    name: "TimeoutError", code: 23,
  });
});

test("the helpers end what they began", async (context) => {
  let kept;
  await context.test("a test of its own", async (inner) => {
    const { server, connection } = await testConnection(inner);
    kept = { server, connection };
    connection.subscribe("a", { callback: (_, m) => m.respond("b") });
    assert.equal((await connection.request("a")).string(), "b");
    const overTcp = await testConnection(inner, { url: true });
    assert.match(overTcp.connection.getServer(), /^127\.0\.0\.1:\d+$/);
  });
  assert.equal(kept.server.isRunning, false);
  assert.equal(kept.connection.isClosed(), true);
  const url = await withServer((server) => server.url);
  await assert.rejects(connect(url, { timeout: 500 }), NoServersError);
});

test("options are refused by their names", () => {
  const refused = (options, name) =>
    assert.throws(() => new Server(options), (error) =>
      error instanceof OptionsError && error.message.includes(name));
  refused({ porth: 1 }, "porth");
  refused({ port: "x" }, '"port"');
  refused({ port: 70_000 }, '"port"');
  refused({ port: NaN }, '"port"');
  refused({ maxPayload: -1 }, '"maxPayload"');
  refused({ pass: "without a user" }, "user");
  refused({ config: "port: {" }, "");
  refused({ config: "port: 1", port: 1 }, "port");
  refused({ log: "x" }, "log");
  refused({ logLevel: "loud" }, "logLevel");
  refused({ toString: 1 }, "toString");
});
