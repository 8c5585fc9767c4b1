// SPDX-License-Identifier: Apache-2.0
//
// Goal: the event loop reads the sockets itself while little comes, and nobody waits for it while
// it is busy. Method: who leads is asked of the addon; brokers that drop a client who does not
// answer.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import net from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { connect, Server } from "martlet";
import { onEachBroker, startNatsServer, until, within } from "./brokers.mjs";
import { raw } from "../../node/dist/raw.js";

/** Keeps the event loop from turning. */
function block(ms) {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** Publishes as much as a thread is worth, and waits until it leads. */
async function flood(connection) {
  await until(async () => {
    for (let i = 0; i < 2_000; i++) if (!connection.publish("flood", "x")) await connection.ready();
    return raw.leader() === "thread";
  });
}

async function answering(open) {
  const service = await open();
  service.subscribe("echo", { callback: (_, message) => message.respond(message.data) });
  await service.flush();
  const connection = await open();
  const ask = async (text) =>
    (await connection.request("echo", text, { timeout: 10_000 })).string();
  return { connection, ask };
}

onEachBroker("a flood makes the thread lead, requests bring the lead back", async (open) => {
  const { connection, ask } = await answering(open);
  for (let round = 0; round < 3; round++) {
    await flood(connection);
    await until(async () => {
      assert.equal(await ask(`${round}`), `${round}`);
      return raw.leader() === "loop";
    }, 30_000);
  }
});

onEachBroker("what comes while the lead changes hands is neither lost nor late", async (open) => {
  const { connection, ask } = await answering(open);
  const seen = [];
  connection.subscribe("numbers", {
    callback: (_, message) => seen.push(Number(message.string())),
  });
  await connection.flush();
  let sent = 0;
  for (let round = 0; round < 20; round++) {
    const many = round % 2 === 0 ? 5_000 : 3;
    for (let i = 0; i < many; i++) {
      if (!connection.publish("numbers", `${sent++}`)) await connection.ready();
    }
    for (let i = 0; i < 12; i++) await within(10_000, ask("x"));
    block(round % 5);
  }
  await connection.flush();
  await until(() => seen.length === sent, 20_000);
  assert.ok(seen.every((number, at) => number === at));
});

test("a busy event loop stays connected, and what comes meanwhile is read", async (context) => {
  const server = await Server.start({ pingInterval: 100, pingMax: 1 });
  context.after(() => server.stop());
  const connection = await connect(server.url);
  context.after(() => connection.close());
  const subscription = connection.subscribe("news");
  await connection.flush();
  block(2_000); // Twenty pings.
  assert.equal((await connection.request("nobody", "").catch((error) => error)).code,
    "ERR_NO_RESPONDERS");
  assert.equal(connection.stats().reconnects, 0);
  connection.publish("news", "still here");
  assert.equal((await subscription.next({ timeout: 10_000 })).string(), "still here");
});

onEachBroker("what is published before the loop blocks is sent meanwhile", async (open) => {
  const connection = await open();
  const other = await open();
  const stamps = [];
  other.subscribe("before", { callback: () => stamps.push(1) });
  await other.flush();
  for (let i = 0; i < 100_000; i++) connection.publish("before", "x".repeat(100));
  // More than the sockets take: somebody has to write it although the loop stands still.
  block(500);
  await connection.flush();
  await until(() => stamps.length === 100_000, 20_000);
});

test("a message out of a timer is sent although nothing else happens", async (context) => {
  const url = await startNatsServer(context);
  const connection = await connect(url);
  context.after(() => connection.close());
  const other = await connect(url);
  context.after(() => other.close());
  const subscription = other.subscribe("tick");
  await other.flush();
  for (const many of [1, 9, 40]) { // Some of the last are not written at once.
    setTimeout(() => {
      for (let i = 0; i < many; i++) connection.publish("tick", `${i}`);
    }, 10);
    for (let i = 0; i < many; i++) {
      assert.equal((await subscription.next({ timeout: 10_000 })).string(), `${i}`);
    }
  }
});

test("close sends what was published in the same turn", async (context) => {
  const server = await Server.start();
  context.after(() => server.stop());
  const other = await connect(server);
  context.after(() => other.close());
  const subscription = other.subscribe("last", { max: 100 });
  await other.flush();
  const connection = await connect(server.url);
  for (let i = 0; i < 100; i++) connection.publish("last", `${i}`);
  await connection.close();
  for (let i = 0; i < 100; i++) {
    assert.equal((await subscription.next({ timeout: 10_000 })).string(), `${i}`);
  }
});

test("a hundred connections share one thread", async (context) => {
  const server = await Server.start();
  context.after(() => server.stop());
  const first = await connect(server.url);
  const threads = () => readdirSync("/proc/self/task").length;
  const before = threads();
  const more = [];
  for (let i = 0; i < 100; i++) more.push(await connect(server.url));
  for (const one of more) await one.flush();
  assert.equal(threads(), before);
  for (const one of [first, ...more]) await one.close();
});

test("one that wants to spin has a thread of its own", async (context) => {
  const server = await Server.start();
  context.after(() => server.stop());
  await (await connect(server.url)).close();
  const before = readdirSync("/proc/self/task").length;
  const connection = await connect(server.url, { spinMicroseconds: 50 });
  assert.equal(readdirSync("/proc/self/task").length, before + 1);
  await connection.flush();
  await connection.close();
});

test("requests time out, reconnects and pings go on, whoever leads", async (context) => {
  const server = await Server.start();
  const connection = await connect(server.url, { reconnectTimeWait: 50, reconnectJitter: 0 });
  context.after(() => connection.close());
  connection.subscribe("deaf", { callback: () => {} });
  const ask = () => connection.request("deaf", "", { timeout: 50 }).catch((error) => error.code);
  assert.equal(await within(10_000, ask()), "ERR_TIMEOUT");
  await flood(connection);
  assert.equal(await within(10_000, ask()), "ERR_TIMEOUT");
  const port = server.port;
  await server.stop();
  await until(() => connection.isReconnecting());
  const again = await Server.start({ port });
  context.after(() => again.stop());
  await until(() => !connection.isReconnecting(), 20_000);
  await connection.flush();
});

onEachBroker("a request ends in time, also behind publishes of the same turn", async (open) => {
  const connection = await open();
  connection.subscribe("deaf", { callback: () => {} });
  await connection.flush();
  for (const many of [0, 5, 20, 20, 20]) {
    for (let i = 0; i < many; i++) connection.publish("nobody", "x");
    const asked = connection.request("deaf", "", { timeout: 50 });
    assert.equal(await within(2_000, asked.catch((error) => error.code)), "ERR_TIMEOUT", `${many}`);
    await sleep(5);
  }
});

test("a connect ends in time while the thread sleeps with the lead", async (context) => {
  const silent = net.createServer((socket) => socket.on("error", () => {})).listen(0, "127.0.0.1");
  await once(silent, "listening");
  context.after(() => silent.close());
  const server = await Server.start();
  context.after(() => server.stop());
  const connection = await connect(server.url);
  context.after(() => connection.close());
  await flood(connection);
  await connection.flush();
  await sleep(500);
  const connecting = connect(`nats://127.0.0.1:${silent.address().port}`, { timeout: 200 });
  await assert.rejects(within(3_000, connecting), { code: "ERR_NO_SERVERS" });
});

/** Blocks the event loop until `condition`; whether that was within `limit` ms. */
function blockUntil(condition, limit) {
  const end = performance.now() + limit;
  while (performance.now() < end) if (condition()) return true;
  return false;
}

test("what is published in a long turn is sent before its end", async (context) => {
  const server = await Server.start();
  context.after(() => server.stop());
  const connection = await connect(server.url);
  context.after(() => connection.close());
  await connection.flush();
  const got = () => server.statistics().in_msgs;
  for (const round of [1, 2]) {
    const before = got();
    for (let i = 0; i < 12; i++) connection.publish("burst", `${i}`);
    assert.ok(blockUntil(() => got() === before + 12, 10_000), `burst ${round}`);
    connection.publish("tick", "");
    assert.ok(blockUntil(() => got() === before + 13, 10_000), `tick ${round}`);
    await sleep(20);
  }
});

test("a connection that was lost comes back while the loop is busy", async (context) => {
  const first = await Server.start();
  const { port } = first;
  const connection = await connect(first.url, { reconnectTimeWait: 300, reconnectJitter: 0 });
  context.after(() => connection.close());
  await first.stop();
  await until(() => connection.isReconnecting());
  const second = await Server.start({ port });
  context.after(() => second.stop());
  assert.ok(blockUntil(() => !connection.isReconnecting(), 20_000));
});

test("callbacks run in no context of who connected first", async () => {
  const program = `
    const { AsyncLocalStorage } = require("node:async_hooks");
    const { connect, Server } = require("martlet");
    const storage = new AsyncLocalStorage();
    (async () => {
      const server = await Server.start();
      const first = await storage.run("first", () => connect(server.url));
      let seen = 0;
      const stores = new Set();
      await new Promise((resolve) => {
        first.subscribe("a", { callback: () => {
          stores.add(storage.getStore());
          if (++seen === 20) resolve();
          first.publish("a");
        } });
        first.publish("a");
      });
      console.log([...stores].join());
      await first.close();
      await server.stop();
    })();`;
  const cwd = fileURLToPath(new URL(".", import.meta.url));
  const output = execFileSync(process.execPath, ["-e", program], { cwd, timeout: 20_000 });
  assert.equal(output.toString().trim(), "");
});

/** What the thread beside the loop has computed so far, in ms. */
function threadCpu() {
  const nameOf = (task) => readFileSync(`/proc/self/task/${task}/comm`, "utf8").trim();
  const task = readdirSync("/proc/self/task").find((each) => nameOf(each) === "martlet lead");
  const spent = readFileSync(`/proc/self/task/${task}/schedstat`, "utf8").split(" ")[0];
  return Number(spent) / 1e6;
}

/** Blocks without computing, so that only others can. */
function blockStill(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

test("nothing lies unsent when the lead goes back, and nobody spins", async (context) => {
  const server = await Server.start();
  context.after(() => server.stop());
  const connection = await connect(server.url);
  context.after(() => connection.close());
  const other = await connect(server.url);
  context.after(() => other.close());
  let got = 0;
  let sent = 0;
  let spun = 0;
  other.subscribe("out", { callback: () => got++ });
  connection.subscribe("tick", {
    callback: (_, message) => {
      // Some are written at once; those behind them when the lead may just go back.
      for (let i = 0; i < 8; i++) connection.publish("out", "x");
      block(Number(message.string()));
      for (let i = 0; i < 3; i++) connection.publish("out", "y");
      sent += 11;
      if (sent % 5 > 0) return;
      const before = threadCpu();
      blockStill(60);
      if (threadCpu() - before > 30) spun++;
    },
  });
  await connection.flush();
  await other.flush();
  let backs = 0;
  for (const end = performance.now() + 8_000; performance.now() < end && backs < 25; backs++) {
    await flood(connection);
    await connection.flush();
    await sleep(55);
    for (let tick = 0; tick < 30 && raw.leader() === "thread"; tick++) {
      const wanted = sent + 11;
      other.publish("tick", `${(tick % 10) / 40}`);
      await until(() => got >= wanted, 2_000);
    }
  }
  assert.ok(backs > 0);
  assert.equal(spun, 0);
});

test("a connection that has ended costs the thread nothing", async (context) => {
  const keep = await Server.start();
  context.after(() => keep.stop());
  const flooding = await connect(keep.url);
  context.after(() => flooding.close());
  const program = 'require("martlet").Server.start().then((s) => console.log(s.url))';
  const cwd = fileURLToPath(new URL(".", import.meta.url));
  const child = spawn(process.execPath, ["-e", program], { cwd, stdio: ["ignore", "pipe", 2] });
  context.after(() => child.kill("SIGKILL"));
  const [url] = await once(child.stdout, "data");
  const connection = await connect(url.toString().trim(), { reconnect: false });
  await flood(flooding);
  await flooding.flush();
  await new Promise((resolve) => setImmediate(() => {
    connection.publish("last", "");
    child.kill("SIGKILL");
    const before = threadCpu();
    blockStill(400);
    assert.ok(connection.isClosed());
    assert.ok(threadCpu() - before < 200);
    resolve();
  }));
  await within(10_000, connection.closed());
});
