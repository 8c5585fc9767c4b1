// SPDX-License-Identifier: Apache-2.0
//
// Goal: whatever a program hands in that cannot be ends in an error of ours that names the
// argument; a callback that throws harms nobody else; bounds and policies hold. Method: hostile
// values into each function, on a connection whose other subscription goes on all the while.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import * as martlet from "martlet";
import { testConnection } from "martlet/testing";
import { until, within } from "./brokers.mjs";

const {
  BadSubjectError, connect, headers, InvalidArgumentError, MartletError, OptionsError, Server,
} = martlet;
const raw = createRequire(import.meta.url)("../../node/dist/raw.js").raw;

const naming = (kind, name) => (error) => error instanceof kind && error.message.includes(name);

test("publish and subscribe refuse by name", async (context) => {
  const { connection } = await testConnection(context);
  const alive = connection.subscribe("alive");
  const wrong = ["", " ", "a b", "a\tb", "a..b", ".", "a.*", "a.>", "x\r\n"];
  for (const subject of wrong) {
    assert.throws(() => connection.publish(subject), BadSubjectError, JSON.stringify(subject));
  }
  for (const subject of [undefined, null, 1, {}, [], () => {}, Symbol("s"), 1n]) {
    assert.throws(() => connection.publish(subject), naming(InvalidArgumentError, "subject"));
    assert.throws(() => connection.subscribe(subject), naming(InvalidArgumentError, "subject"));
  }
  for (const data of [1, {}, [1, 2], () => {}, true, Symbol("s"), 1n, new Map()]) {
    assert.throws(() => connection.publish("a", data), naming(InvalidArgumentError, "data"));
    await assert.rejects(connection.request("a", data), naming(InvalidArgumentError, ""));
  }
  assert.throws(() => connection.publish("a", "", { reply: 1 }),
    naming(InvalidArgumentError, "reply"));
  assert.throws(() => connection.publish("a", "", { headers: 1 }),
    naming(InvalidArgumentError, "headers"));
  assert.throws(() => connection.publish("a", "", { headers: {} }),
    naming(InvalidArgumentError, "headers"));
  assert.throws(() => connection.publish("a", "", { reply: "b c" }), MartletError);
  assert.throws(() => connection.subscribe("a..b"), BadSubjectError);
  assert.throws(() => connection.subscribe("a", 1), naming(InvalidArgumentError, "options"));
  assert.throws(() => connection.subscribe("a", { queue: 1 }),
    naming(InvalidArgumentError, "queue"));
  assert.throws(() => connection.subscribe("a", { queue: "a b" }), MartletError);
  assert.throws(() => connection.subscribe("a", { callback: 1 }),
    naming(InvalidArgumentError, "callback"));
  assert.throws(() => connection.subscribe("a", { signal: 1 }),
    naming(InvalidArgumentError, "signal"));
  for (const max of [0, -1, 1.5, NaN, "3", 2 ** 60]) {
    assert.throws(() => connection.subscribe("a", { max }), naming(InvalidArgumentError, "max"));
  }
  connection.publish("alive", "still");
  assert.equal((await within(5_000, alive.next())).string(), "still");
});

test("bytes that are special arrive as they are", async (context) => {
  const { connection } = await testConnection(context, { url: true });
  const subscription = connection.subscribe(">");
  connection.publish("lone", "\ud800");
  connection.publish("n\0ul", "a\0b");
  connection.publish("größe.日本", Buffer.from([0xff, 0xfe, 0]));
  connection.publish("view", new DataView(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2));
  connection.publish("buffer", new Uint8Array([7]).buffer);
  connection.publish("long".repeat(80), "x".repeat(300) + "é");
  const next = async () => within(5_000, subscription.next());
  assert.equal((await next()).string(), "\ufffd");
  const nul = await next();
  assert.deepEqual([nul.subject, nul.string()], ["n\0ul", "a\0b"]);
  const third = await next();
  assert.equal(third.subject, "größe.日本");
  assert.deepEqual([...third.data], [0xff, 0xfe, 0]);
  assert.deepEqual([...(await next()).data], [2, 3]);
  assert.deepEqual([...(await next()).data], [7]);
  const long = await next();
  assert.equal(long.subject, "long".repeat(80));
  assert.equal(long.string(), "x".repeat(300) + "é");
});

test("half a surrogate pair is refused by name, whole ones and U+FFFD are not", async (context) => {
  const { connection, server } = await testConnection(context, { url: true });
  const all = connection.subscribe(">");
  const halves = ["\ud800", "a\udfff", "\udc00\ud800", "\ud800\ud801\udc00",
    "\ud801\udc00\ud802", `${"x".repeat(253)}\ud800`, `${"x".repeat(400)}\ud83d`,
    "\ufffd\ud83d"];
  const refused = (name) => naming(InvalidArgumentError, name);
  for (const half of halves) {
    const text = JSON.stringify(half);
    for (const subject of [half, `a.${half}.b`]) {
      assert.throws(() => connection.publish(subject, "x"), refused("subject"), text);
      assert.throws(() => connection.subscribe(subject), refused("subject"), text);
      await assert.rejects(connection.request(subject), refused("subject"), text);
      await assert.rejects(connection.requestMany(subject), refused("subject"), text);
      assert.throws(() => connection.raw.request(subject, "", "", 50), refused("subject"), text);
    }
    assert.throws(() => connection.publish("a", "x", { reply: half }), refused("reply"), text);
    assert.throws(() => connection.subscribe("a", { queue: half }), refused("queue"), text);
    assert.throws(() => headers().set(half, "v"), refused("header name"), text);
    assert.throws(() => headers().append("Name", half), refused('"Name"'), text);
    const described = { headers: headers(503, half) };
    assert.throws(() => connection.publish("a", "x", described), refused("description"), text);
    const block = `NATS/1.0\r\nA: ${half}\r\n\r\n`;
    assert.throws(() => connection.raw.publisher()("x", "a", "", block), refused("headers"), text);
    for (const option of ["name", "user", "pass", "token", "inboxPrefix"]) {
      await assert.rejects(connect(server.url, { [option]: half }), refused(`"${option}"`), text);
    }
    await assert.rejects(connect(`${server.url}/${half}`), refused('"servers"'), text);
    await assert.rejects(connect([server.url, half]), refused('"servers"'), text);
    assert.throws(() => new Server({ name: half }), refused('"name"'), text);
    const config = `server_name: "${half}"`;
    assert.throws(() => new Server({ config }), refused('"config"'), text);
    assert.throws(() => new raw.Server(config), refused("options"), text);
  }
  const sound = ["\ufffd", "\u{10000}", "\u{1f600}", "x\u{10ffff}\ufffd", "\ufffd".repeat(200)];
  for (const subject of sound) {
    const given = headers();
    given.set("Name", subject);
    connection.publish(subject, "x", { reply: subject, headers: given });
    const message = await within(5_000, all.next());
    assert.deepEqual([message.subject, message.reply, message.headers.get("Name")],
      [subject, subject, subject]);
    connection.subscribe(subject, { queue: subject }).unsubscribe();
  }
  assert.equal(all.getReceived(), sound.length);
});

test("half a surrogate pair is refused where messages wait, too", async (context) => {
  const { connection } = await testConnection(context, { url: true, maxPendingBytes: 4096 });
  while (connection.publish("full", Buffer.alloc(1_000)));
  assert.throws(() => connection.publish("a\ud800"), naming(InvalidArgumentError, "subject"));
  assert.throws(() => connection.publish("a", "", { reply: "\udfff" }),
    naming(InvalidArgumentError, "reply"));
  await connection.ready();
  await connection.flush();
});

test("times, counts and options are refused by name", async (context) => {
  const { connection, server } = await testConnection(context);
  for (const timeout of [-1, NaN, "1", null]) {
    await assert.rejects(connection.request("a", "", { timeout }),
      naming(InvalidArgumentError, "timeout"));
    await assert.rejects(connection.flush({ timeout }), naming(InvalidArgumentError, "timeout"));
    await assert.rejects(connection.drain({ timeout }), naming(InvalidArgumentError, "timeout"));
  }
  await assert.rejects(connection.requestMany("a", "", { maxMessages: 0 }),
    naming(InvalidArgumentError, "maxMessages"));
  await assert.rejects(connect(server, { servers: "x" }), naming(OptionsError, "servers"));
  await assert.rejects(connect(5), naming(InvalidArgumentError, "URL"));
  await assert.rejects(connect(null), naming(InvalidArgumentError, "URL"));
  await assert.rejects(connect("x://y"), MartletError);
  await assert.rejects(connect({ nam: "x" }), naming(OptionsError, "nam"));
  await assert.rejects(connect({ name: 1 }), naming(OptionsError, '"name"'));
  await assert.rejects(connect({ name: () => {} }), naming(OptionsError, '"name"'));
  await assert.rejects(connect({ noEcho: 1 }), naming(OptionsError, '"noEcho"'));
  await assert.rejects(connect({ timeout: -5 }), naming(OptionsError, '"timeout"'));
  await assert.rejects(connect({ servers: [1] }), naming(OptionsError, "servers"));
  assert.throws(() => connection.subscribe("a", { policy: "x" }), naming(OptionsError, "policy"));
  assert.throws(() => connection.subscribe("a", { maxPendingMessages: -1 }),
    naming(OptionsError, "maxPendingMessages"));
  assert.throws(() => connection.subscribe("a", { bound: 1 }), naming(OptionsError, "bound"));
  const entries = [["", "v"], ["a b", "v"], ["a:b", "v"], ["a", "v\r\nb"], [1, "v"], ["a", 1]];
  for (const [name, value] of entries) {
    assert.throws(() => headers().set(name, value), InvalidArgumentError);
  }
});

test("handles that are foreign, of another class, or freed", async (context) => {
  const { connection } = await testConnection(context);
  const queue = new raw.Queue("");
  const server = new raw.Server("");
  assert.throws(() => raw.Queue.prototype.poll.call(server, 1, new Int32Array(8)), TypeError);
  assert.throws(() => raw.Connection.prototype.publisher.call(queue), TypeError);
  assert.throws(() => raw.Connection.prototype.publisher.call({}), TypeError);
  assert.throws(() => new raw.Connection("", queue, queue, 0),
    naming(InvalidArgumentError, "server"));
  assert.throws(() => new raw.Connection("", {}, queue, 0), naming(InvalidArgumentError, "server"));
  const disguised = Object.setPrototypeOf(new raw.Queue(""), raw.Server.prototype);
  assert.throws(() => new raw.Connection("", disguised, queue, 0),
    naming(InvalidArgumentError, "server"));
  assert.throws(() => raw.Queue("") , TypeError);
  assert.throws(() => new raw.Queue(1), InvalidArgumentError);
  assert.throws(() => new raw.Queue("{"), OptionsError);
  assert.throws(() => queue.pollInto(new Uint8Array(64), 65, 1, new Int32Array(8)),
    naming(InvalidArgumentError, "offset"));
  assert.throws(() => queue.pollInto(new Uint8Array(64), 0, 0, new Int32Array(8)),
    InvalidArgumentError);
  assert.throws(() => queue.pollInto(new Uint8Array(64), 0, 1, new Int32Array(7)),
    naming(InvalidArgumentError, "info"));
  assert.throws(() => queue.pollInto({}, 0, 1, new Int32Array(8)),
    naming(InvalidArgumentError, "memory"));
  queue.free();
  queue.free();
  assert.throws(() => queue.descriptor(), { code: "ERR_INVALID_HANDLE" });
  server.free();
  assert.throws(() => server.clientPort(), { code: "ERR_INVALID_HANDLE" });
  const own = new raw.Connection("nats://127.0.0.1:1", null, null, 0);
  const publish = own.publisher();
  assert.throws(() => publish("data"), BadSubjectError); // None was given yet.
  assert.throws(() => publish(), BadSubjectError);
  assert.throws(() => publish("data", 5), naming(InvalidArgumentError, "subject"));
  own.free();
  assert.throws(() => publish("data", "a"), { code: "ERR_CLOSED" });
  assert.throws(() => publish("data"), { code: "ERR_CLOSED" });
  assert.throws(() => own.publisher(), { code: "ERR_INVALID_HANDLE" });
  assert.equal(connection.isClosed(), false);
});

test("a callback that throws is told, and others go on", async (context) => {
  const { connection } = await testConnection(context);
  const got = [];
  connection.subscribe("t", {
    callback: () => {
      throw new Error("in a callback");
    },
  });
  connection.subscribe("t", { callback: () => Promise.reject(new Error("in a promise")) });
  connection.subscribe("t", { callback: (_, message) => got.push(message.string()) });
  const warnings = [];
  const onWarning = (warning) => warnings.push(warning.message);
  process.on("warning", onWarning);
  connection.publish("t", "1");
  await until(() => warnings.length === 2);
  process.off("warning", onWarning);
  assert.deepEqual(warnings.sort(), ["in a callback", "in a promise"]);
  const status = connection.status();
  connection.publish("t", "2");
  const told = [await within(5_000, status.next()), await within(5_000, status.next())];
  assert.deepEqual(told.map((event) => event.value.error.message).sort(),
    ["in a callback", "in a promise"]);
  assert.deepEqual(got, ["1", "2"]);
});

test("bounds and policies", async (context) => {
  const { connection } = await testConnection(context, { url: true });
  const status = connection.status();
  const refusing = connection.subscribe("b", { maxPendingMessages: 10 });
  const latest = connection.subscribe("b", { maxPendingMessages: 10, policy: "drop_oldest" });
  const last = connection.subscribe("b", {
    maxPendingMessages: 10, policy: "keep_latest_of_each_subject",
  });
  for (let i = 0; i < 100; i++) connection.publish("b", String(i));
  await connection.flush();
  assert.equal(refusing.getPending(), 10);
  assert.equal(refusing.getReceived(), 100);
  assert.equal(refusing.getDropped(), 90);
  assert.equal((await refusing.next()).string(), "0");
  assert.equal((await latest.next()).string(), "90");
  assert.equal((await last.next()).string(), "99");
  const event = await within(5_000, status.next());
  assert.equal(event.value.type, "slowConsumer");
});

test("a waiting iterator refuses a second reader, a callback any", async (context) => {
  const { connection } = await testConnection(context);
  const subscription = connection.subscribe("r");
  const first = subscription.next();
  await assert.rejects(subscription.next({ timeout: 1 }), { code: "ERR_STATE" });
  await assert.rejects(subscription[Symbol.asyncIterator]().next(), { code: "ERR_STATE" });
  connection.publish("r", "1");
  assert.equal((await within(5_000, first)).string(), "1");
  const called = connection.subscribe("r", { callback: () => {} });
  assert.throws(() => called[Symbol.asyncIterator](), { code: "ERR_STATE" });
});

test("the bound of what waits is told by its name", async (context) => {
  const { connection } = await testConnection(context, {
    url: true, maxPendingBytes: 4096, maxWaitingBytes: 10_000,
  });
  assert.throws(() => {
    for (let i = 0; i < 1_000_000; i++) connection.publish("full", Buffer.alloc(1_000));
  }, naming(martlet.LimitError, "maxWaitingBytes"));
  await connection.ready();
  connection.publish("full", "again");
  await connection.flush();
});

test("a native part that is missing, damaged or of another version is named", (context) => {
  const folder = mkdtempSync(path.join(tmpdir(), "martlet-node-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const damaged = path.join(folder, "damaged.node");
  const other = path.join(folder, "other.cjs");
  writeFileSync(damaged, "no library");
  const built = new URL("../../node/dist/martlet.node", import.meta.url);
  const whole = readFileSync(process.env.MARTLET_NODE_ADDON || built);
  const parts = [4, 40, 300, whole.length / 3].map((bytes) => {
    const part = path.join(folder, `part-${Math.trunc(bytes)}.node`);
    writeFileSync(part, whole.subarray(0, bytes));
    return part;
  });
  writeFileSync(other, "exports.abiVersion = () => 7001;");
  const program = 'require("martlet")';
  const here = path.dirname(fileURLToPath(import.meta.url));
  for (const file of [path.join(folder, "missing.node"), folder, damaged, other, ...parts]) {
    const env = { ...process.env, MARTLET_NODE_ADDON: file };
    assert.throws(
      () => execFileSync(process.execPath, ["-e", program], { env, stdio: "pipe", cwd: here }),
      (error) => {
        const text = error.stderr.toString();
        return text.includes("NativeLoadError") && text.includes(file);
      });
  }
});

test("options that a call does not have are refused", async (context) => {
  const { connection } = await testConnection(context);
  const subscription = connection.subscribe("a");
  const refusing = {
    request: (options) => connection.request("a", "", options),
    requestMany: (options) => connection.requestMany("a", "", options),
    flush: (options) => connection.flush(options),
    rtt: (options) => connection.rtt(options),
    drain: (options) => connection.drain(options),
    next: (options) => subscription.next(options),
  };
  for (const [name, call] of Object.entries(refusing)) {
    await assert.rejects(call({ timeou: 50 }), naming(OptionsError, '"timeou"'), name);
    await assert.rejects(call(50), naming(InvalidArgumentError, "options"), name);
  }
  await connection.flush();
});

test("a request that fails names its subject", async (context) => {
  const { connection } = await testConnection(context);
  connection.subscribe("silent", { callback: () => {} });
  const failing = (subject) => connection.request(subject, "", { timeout: 50 });
  await assert.rejects(failing("silent"), { message: 'no answer to "silent" in 50 ms' });
  await assert.rejects(failing("nobody"), { message: 'nobody listens to "nobody"' });
  const replies = await connection.requestMany("nobody", "", { maxWait: 50 });
  await assert.rejects(async () => {
    for await (const reply of replies) assert.fail(reply.subject);
  }, { message: 'nobody listens to "nobody"' });
  assert.match(inspect(connection), /^NatsConnection { server: /);
});

test("each status has its own class", () => {
  const { errorClasses, errorOf } = martlet;
  const kinds = new Set();
  for (const [status, kind] of errorClasses()) {
    const error = errorOf(status, "why");
    assert.ok(error instanceof kind && error instanceof MartletError);
    assert.equal(error.status, status);
    assert.equal(error.code, raw.statusName(status));
    assert.equal(error.name, kind.name);
    kinds.add(kind);
  }
  assert.equal(kinds.size, 26);
  assert.equal(Object.getPrototypeOf(errorOf(-9999, "x")), MartletError.prototype);
  assert.equal(new Server({ listen: false }).isRunning, false);
});
