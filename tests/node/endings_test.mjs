// SPDX-License-Identifier: Apache-2.0
//
// Goal: nothing of ours outlives its use – not a thread, a descriptor, a connection that nobody
// holds, a process that has ended, a worker that was terminated. Method: cycles with a look into
// /proc before and after; programs that end in each way there is, under load, with a clock on them.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { connect, Server } from "martlet";
import { testConnection, testServer } from "martlet/testing";
import { until, within } from "./brokers.mjs";
import { flat, held, memoryStaysFlat, nativeKib } from "./usage.mjs";

/** Messages a second that come while a process ends; fewer where a sanitizer slows all down. */
const RATE_MIN = Number(process.env.MARTLET_ENDING_RATE ?? 100_000);

const program = (name) => fileURLToPath(new URL(`programs/${name}.mjs`, import.meta.url));

/** A server that greets, and then reads no more; its URL. */
async function startDeafServer(context) {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.write('INFO {"server_id":"x","headers":true,"max_payload":65536}\r\n');
    socket.on("data", (data) => {
      if (!data.includes("PING")) return;
      socket.pause();
      socket.write("PONG\r\n");
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `nats://127.0.0.1:${server.address().port}`;
}

const LIVES = 1_000;
/** What the second half of them may add: 8 KiB for each, well above the allocator's moods.
 * AddressSanitizer keeps something of every thread that there has been, for what it would tell. */
const GROWTH_KIB_MAX = process.env.ASAN_OPTIONS === undefined ? 4_096 : 16_384;

const HALVES_MAX = 6;

/** A thousand times, after a hundred to warm up. */
async function leavesNothing(context, cycle) {
  for (let i = 0; i < 100; i++) await cycle(i);
  const before = held();
  await memoryStaysFlat(context, async () => {
    for (let i = 0; i < LIVES / 2; i++) await cycle(i);
    return nativeKib();
  }, { growthKibMax: GROWTH_KIB_MAX, halvesMax: HALVES_MAX });
  await flat(before);
}

test("1,000 connects leave nothing", { timeout: 120_000 }, async (context) => {
  const server = await testServer(context);
  const cycle = async (i) => {
    const connection = await connect(i % 2 === 0 ? server.url : server);
    const subscription = connection.subscribe("c", { callback: () => {} });
    connection.publish("c", "x");
    await connection.flush();
    if (i % 3 === 0) subscription.unsubscribe();
    await connection.close();
  };
  await leavesNothing(context, cycle);
  assert.equal(server.statistics().connections, 0);
});

test("1,000 server cycles leave nothing", { timeout: 240_000 }, async (context) => {
  const cycle = async (i) => {
    const server = await Server.start({ listen: i % 2 === 0 });
    const connection = await connect(server);
    await connection.flush();
    if (i % 3 === 0) await connection.close();
    await server.stop();
    await connection.close();
  };
  await leavesNothing(context, cycle);
});

test("1,000 subscriptions add no thread", async (context) => {
  const { connection } = await testConnection(context, { url: true });
  const before = held();
  const read = Array.from({ length: 500 }, (_, i) => connection.subscribe(`s.${i}`));
  let called = 0;
  for (let i = 500; i < 1_000; i++) connection.subscribe(`s.${i}`, { callback: () => called++ });
  for (let i = 0; i < 1_000; i++) connection.publish(`s.${i}`, "x");
  await connection.flush();
  for (const subscription of read) await within(5_000, subscription.next());
  await until(() => called === 500);
  await flat(before);
});

test("close, unsubscribe, stop and drain inside a callback", { timeout: 60_000 }, async () => {
  for (const what of ["close", "unsubscribe", "stop", "drain"]) {
    const server = await Server.start();
    const connection = await connect(server.url, { reconnect: false });
    let calls = 0;
    const done = new Promise((resolve) => {
      const subscription = connection.subscribe("c", {
        callback: () => {
          calls++;
          if (calls > 1) return;
          if (what === "close") resolve(connection.close());
          if (what === "unsubscribe") resolve(subscription.unsubscribe());
          if (what === "stop") resolve(server.stop());
          if (what === "drain") resolve(connection.drain());
        },
      });
    });
    for (let i = 0; i < 100; i++) connection.publish("c", "x");
    await within(5_000, done);
    if (what === "unsubscribe") {
      await connection.flush();
      assert.equal(calls, 1);
    }
    await connection.close();
    await server.stop();
  }
});

test("drain inside the body of the loop that it ends", async (context) => {
  const { connection } = await testConnection(context);
  const subscription = connection.subscribe("stop");
  connection.publish("stop", "now");
  let bodies = 0;
  const began = performance.now();
  for await (const message of subscription) {
    bodies += message.string().length;
    await connection.drain();
  }
  assert.equal(bodies, 3);
  assert.ok(performance.now() - began < 5_000);
});

test("cancelled waits leave nothing, and the connection as it was", { timeout: 60_000 },
  async (context) => {
    const { connection } = await testConnection(context, { url: true });
    connection.subscribe("silent", { callback: () => {} });
    const read = connection.subscribe("never");
    await connection.flush();
    const before = held();
    for (let i = 0; i < 300; i++) {
      const controller = new AbortController();
      const { signal } = controller;
      const waits = [
        connection.request("silent", "", { signal, timeout: 60_000 }), read.next({ signal }),
        connection.flush({ signal }),
        connection.requestMany("silent", "", { signal, maxWait: 60_000 })
          .then((answers) => answers.next()),
      ];
      if (i % 2 === 0) await new Promise(setImmediate);
      controller.abort(new Error("cancelled"));
      const ends = await within(5_000, Promise.allSettled(waits));
      const reasons = ends.map((end) => end.reason?.message ?? "done");
      // A flush may have been answered before it was cancelled.
      assert.deepEqual([...reasons.slice(0, 2), reasons[3]],
        ["cancelled", "cancelled", "cancelled"]);
    }
    await flat(before);
    connection.publish("never", "at last");
    assert.equal((await within(5_000, read.next())).string(), "at last");
  });

test("waits end in time on a server that takes nothing", { timeout: 60_000 }, async (context) => {
  const url = await startDeafServer(context);
  const connection = await connect(url, { maxPendingBytes: 4096, reconnect: false });
  let isFull = false;
  for (let i = 0; i < 200 && !isFull; i++) {
    for (let j = 0; j < 64; j++) connection.publish("x", Buffer.alloc(16_384));
    const late = new Promise((resolve) => setTimeout(resolve, 500, true));
    isFull = await Promise.race([connection.ready().then(() => false), late]);
  }
  assert.ok(isFull);
  // The system may yet find room for what little waits, so that more has to.
  for (let j = 0; j < 64; j++) connection.publish("x", Buffer.alloc(16_384));
  await assert.rejects(within(5_000, connection.flush({ timeout: 50 })), { code: "ERR_TIMEOUT" });
  await assert.rejects(within(5_000, connection.request("x", "", { timeout: 50 })),
    { code: "ERR_TIMEOUT" });
  const signal = AbortSignal.timeout(50);
  await assert.rejects(within(5_000, connection.flush({ signal })), { name: "TimeoutError" });
  const refused = assert.rejects(connection.ready(), { code: "ERR_CLOSED" });
  await assert.rejects(within(5_000, connection.drain({ timeout: 50 })), { code: "ERR_TIMEOUT" });
  await within(5_000, refused);
  assert.equal(connection.isClosed(), true);
});

test("after close no callback is called", async (context) => {
  const { connection } = await testConnection(context, { url: true });
  let calls = 0;
  const subscription = connection.subscribe("c", {
    callback: () => {
      calls++;
      void connection.close();
    },
  });
  for (let i = 0; i < 100; i++) connection.publish("c", "x");
  await within(5_000, connection.closed());
  await within(5_000, subscription.closed);
  assert.equal(calls, 1);
});

test("timers of a busy loop run", { timeout: 60_000 }, async (context) => {
  const { connection } = await testConnection(context);
  let calls = 0;
  connection.subscribe("busy", {
    callback: () => {
      for (const end = performance.now() + 0.02; performance.now() < end;);
      calls++;
    },
  });
  const read = connection.subscribe("busy");
  const reading = (async () => {
    for await (const message of read) if (message.data.length === 0) break;
  })();
  for (let i = 0; i < 20_000; i++) connection.publish("busy", "x");
  let ticks = 0;
  const timer = setInterval(() => ticks++, 10);
  connection.publish("busy", "");
  await reading;
  await until(() => calls === 20_001, 30_000);
  clearInterval(timer);
  assert.ok(ticks >= 5, `${ticks} ticks`);
});

test("what is dropped and collected is seen to go within 5 s", { timeout: 60_000 }, async () => {
  const child = spawn(process.execPath, ["--expose-gc", program("collected")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const text = (await child.stdout.toArray()).join("");
  const told = JSON.parse(text);
  assert.ok(told.milliseconds < 5_000, text);
  assert.deepEqual({ ...told, milliseconds: 0 }, {
    milliseconds: 0, connections: 2, subscriptions: told.subscriptions, answer: "yes",
    serverGone: true,
  });
});

const ENDS_WITHIN_MS = 1_000;
const TRIES = 3; // The shortest is judged: a busy machine may keep any one waiting.

/** What a child process tells, a JSON text in each line, and what it says of failures. */
function listen(child) {
  const told = [];
  const heard = { told, errors: "" };
  createInterface({ input: child.stdout }).on("line", (line) => told.push(JSON.parse(line)));
  child.stderr.on("data", (data) => (heard.errors += data));
  return heard;
}

/** Starts a program that is killed with the test. */
function start(context, name, argument) {
  const child = spawn(process.execPath, [program(name), argument], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  context.after(() => child.kill("SIGKILL"));
  const [exited, closed] = [once(child, "exit"), once(child, "close")];
  return { child, exited, closed, heard: listen(child) };
}

/** Ends a program under load in that way; how many ms it took. */
async function end(context, how, code, signal) {
  const { child, exited, closed, heard } = start(context, "ending", how);
  await until(() => heard.told.length > 0, 20_000);
  const load = start(context, "load", heard.told[0].url);
  await until(() => heard.told.length > 1 || child.exitCode !== null, 60_000);
  assert.equal(heard.told.length, 2, heard.errors);
  const [, { rate, at }] = heard.told;
  assert.ok(rate >= RATE_MIN, `${rate} messages a second`);
  const began = how.startsWith("SIG") ? process.hrtime.bigint() : BigInt(at);
  if (how.startsWith("SIG")) child.kill(how.split("-")[0]);
  const ended = await within(20_000, exited);
  const took = Number(process.hrtime.bigint() - began) / 1e6;
  await within(20_000, closed);
  assert.deepEqual(ended, [code, signal], heard.errors);
  if (how === "throw") assert.match(heard.errors, /Error: uncaught/);
  else assert.equal(heard.errors, "");
  // Who has published sees it gone.
  assert.deepEqual(await within(20_000, load.exited), [0, null], load.heard.errors);
  context.diagnostic(`${took.toFixed(0)} ms, under ${rate} messages a second`);
  return took;
}

for (const [how, code, signal] of [
  ["main-unref", 0, null], ["main-closed", 0, null], ["exit", 7, null], ["throw", 1, null],
  ["SIGTERM", null, "SIGTERM"], ["SIGINT", null, "SIGINT"], ["SIGTERM-drain", 3, null],
]) {
  test(`the process ends within a second: ${how}`, { timeout: 300_000 }, async (context) => {
    let shortest = Infinity;
    for (let tries = 0; tries < TRIES && shortest > ENDS_WITHIN_MS; tries++) {
      shortest = Math.min(shortest, await end(context, how, code, signal));
    }
    assert.ok(shortest <= ENDS_WITHIN_MS, `${shortest} ms at best`);
  });
}

test("an open connection and a server keep the process alive", { timeout: 60_000 },
  async (context) => {
    const { child, heard, exited } = start(context, "ending", "main-open");
    await until(() => heard.told.length > 1 || child.exitCode !== null, 20_000);
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(child.exitCode, null);
    child.kill("SIGKILL");
    await exited;
  });

test("a terminated worker leaves nothing", { timeout: 120_000 }, async (context) => {
  const server = await testServer(context);
  const run = async () => {
    const worker = new Worker(program("worker"), { workerData: { url: server.url } });
    worker.on("error", (error) => assert.fail(error));
    const [{ url }] = await once(worker, "message");
    assert.equal(server.statistics().connections, 1);
    await within(10_000, worker.terminate());
    await until(() => server.statistics().connections === 0);
    await assert.rejects(connect(url, { timeout: 500 }), { code: "ERR_NO_SERVERS" });
  };
  await run();
  const before = held();
  for (let i = 0; i < 5; i++) await run();
  await flat(before);
});

test("a worker that is terminated at any moment leaves nothing", { timeout: 120_000 },
  async (context) => {
    const server = await testServer(context);
    const run = async (milliseconds) => {
      const worker = new Worker(program("worker"), { workerData: { url: server.url } });
      worker.on("error", (error) => assert.fail(error));
      await once(worker, "online");
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      await within(5_000, worker.terminate());
    };
    await run(20);
    await until(() => server.statistics().connections === 0);
    const before = held();
    for (let i = 0; i < 30; i++) await run(i * 4);
    await until(() => server.statistics().connections === 0);
    await flat(before);
  });

for (const [how, code] of [["exit", 5], ["throw", 1], ["closed", 0]]) {
  test(`a worker ends by itself: ${how}`, { timeout: 60_000 }, async (context) => {
    const server = await testServer(context);
    const worker = new Worker(program("worker"), { workerData: { url: server.url, how } });
    const errors = [];
    worker.on("error", (error) => errors.push(error.message));
    const exited = new Promise((resolve) => worker.once("exit", resolve));
    assert.equal(await within(20_000, exited), code);
    assert.deepEqual(errors, how === "throw" ? ["uncaught"] : []);
    await until(() => server.statistics().connections === 0);
  });
}

/** The descriptors of a child process, listed by itself. */
async function inherited() {
  const child = spawn("ls", ["/proc/self/fd"], { stdio: ["ignore", "pipe", "ignore"] });
  const exited = once(child, "exit");
  const listed = (await within(20_000, child.stdout.toArray())).join("").trim();
  assert.deepEqual(await within(20_000, exited), [0, null]);
  return listed;
}

test("200 child processes under load inherit nothing and end", { timeout: 120_000 },
  async (context) => {
    const before = await inherited(); // What this process has got from its parent is among them.
    const { connection } = await testConnection(context, { url: true });
    connection.subscribe("load", { callback: () => {} });
    let going = true;
    const load = (async () => {
      while (going) {
        for (let i = 0; i < 200; i++) connection.publish("load", "x");
        await new Promise(setImmediate);
      }
    })();
    for (let i = 0; i < 50; i++) {
      const all = await Promise.all([inherited(), inherited(), inherited(), inherited()]);
      for (const listed of all) assert.equal(listed, before);
    }
    going = false;
    await load;
  });
