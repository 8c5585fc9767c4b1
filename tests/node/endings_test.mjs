// SPDX-License-Identifier: Apache-2.0
//
// Goal: nothing of ours outlives its use – not a thread, a descriptor, a connection that nobody
// holds, a process that has ended, a worker that was terminated. Method: cycles with a look into
// /proc before and after; programs that end in each way there is, under load, with a clock on them.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { connect, Server } from "martlet";
import { testConnection, testServer } from "martlet/testing";
import { until, within } from "./brokers.mjs";

const program = (name) => fileURLToPath(new URL(`programs/${name}.mjs`, import.meta.url));
const held = () => ({
  threads: readdirSync("/proc/self/task").length,
  descriptors: readdirSync("/proc/self/fd").length,
});
const residentKib = () =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]);

async function flat(before) {
  await until(() => {
    const now = held();
    return now.threads <= before.threads && now.descriptors <= before.descriptors;
  }, 5_000);
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
  for (let i = 0; i < 100; i++) await cycle(i);
  const before = held();
  const resident = residentKib();
  for (let i = 0; i < 1_000; i++) await cycle(i);
  await flat(before);
  assert.ok(residentKib() - resident < 60_000, `${resident} KiB grew to ${residentKib()}`);
  assert.equal(server.statistics().connections, 0);
});

test("1,000 server cycles leave nothing", { timeout: 240_000 }, async () => {
  const cycle = async (i) => {
    const server = await Server.start({ listen: i % 2 === 0 });
    const connection = await connect(server);
    await connection.flush();
    if (i % 3 === 0) await connection.close();
    await server.stop();
    await connection.close();
  };
  for (let i = 0; i < 20; i++) await cycle(i);
  const before = held();
  for (let i = 0; i < 1_000; i++) await cycle(i);
  await flat(before);
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
  assert.deepEqual(held(), before);
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

test("timers of a busy loop run", { timeout: 60_000 }, async (context) => {
  const { connection } = await testConnection(context);
  connection.subscribe("busy", {
    callback: () => {
      for (const until_ = performance.now() + 0.02; performance.now() < until_;);
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
  clearInterval(timer);
  assert.ok(ticks >= 3, `${ticks} ticks`);
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

async function start(how) {
  const child = spawn(process.execPath, [program("ending"), how], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  let said = "";
  let errors = "";
  child.stdout.on("data", (data) => (said += data));
  child.stderr.on("data", (data) => (errors += data));
  await until(() => said.includes("ready") || child.exitCode !== null, 20_000);
  return { child, exited, readyAt: performance.now(), errors: () => errors };
}

for (const [how, code, signal] of [
  ["main-unref", 0, null], ["main-closed", 0, null], ["exit", 7, null], ["throw", 1, null],
  ["SIGTERM", null, "SIGTERM"], ["SIGINT", null, "SIGINT"],
]) {
  test(`the process ends within 1 s: ${how}`, { timeout: 60_000 }, async () => {
    const { child, exited, readyAt, errors } = await start(how);
    if (how.startsWith("SIG")) child.kill(how);
    assert.deepEqual(await within(10_000, exited), [code, signal], errors());
    const milliseconds = performance.now() - readyAt;
    assert.ok(milliseconds < 1_000, `${milliseconds} ms`);
    if (how === "throw") assert.match(errors(), /Error: uncaught/);
    else assert.equal(errors(), "");
  });
}

test("an open connection and a server keep the process alive", { timeout: 60_000 }, async () => {
  const { child, exited } = await start("main-open");
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
    const began = performance.now();
    await worker.terminate();
    assert.ok(performance.now() - began < 1_000);
    await until(() => server.statistics().connections === 0);
    await assert.rejects(connect(url, { timeout: 500 }), { code: "ERR_NO_SERVERS" });
  };
  await run();
  const before = held();
  for (let i = 0; i < 5; i++) await run();
  await flat(before);
});

test("a child process inherits nothing and ends", { timeout: 120_000 }, async (context) => {
  const { connection } = await testConnection(context, { url: true });
  connection.subscribe("load", { callback: () => {} });
  let going = true;
  const load = (async () => {
    while (going) {
      for (let i = 0; i < 200; i++) connection.publish("load", "x");
      await new Promise(setImmediate);
    }
  })();
  for (let i = 0; i < 200; i++) {
    const child = spawn("ls", ["/proc/self/fd"], { stdio: ["ignore", "pipe", "ignore"] });
    const listed = (await within(10_000, child.stdout.toArray())).join("").trim().split("\n");
    assert.ok(listed.length <= 4, listed.join(" ")); // 0, 1, 2 and the folder itself.
  }
  going = false;
  await load;
});
