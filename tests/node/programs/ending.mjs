// SPDX-License-Identifier: Apache-2.0
//
// Owns a program that has a broker, a connection over TCP and one inside the process, and ends in
// the way that its first argument names while 100,000 messages a second come, which load.mjs
// publishes. It tells, a JSON text in each line: the URL of its broker; then, when its end may
// begin, how much came a second at the last, and the time by the clock that all processes share.
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, Server } from "martlet";

const RATE_MIN = Number(process.env.MARTLET_ENDING_RATE ?? 100_000);
const RATE_WITHIN_MS = 40_000;
const WINDOW_MS = 100;

const how = process.argv[2];
const server = await Server.start();
const connection = await connect(server.url);
const inside = await connect(server);
const seen = [0, 0];
connection.subscribe("load", { callback: () => seen[0]++ });
inside.subscribe("load", {
  callback: (_, message) => {
    if (++seen[1] % 8 === 0) inside.publish("sent.on", message.data);
  },
});
await connection.flush();
await inside.flush();

const tell = (what) => writeSync(1, `${JSON.stringify(what)}\n`);

function tellReady(rate) {
  tell({ rate: Math.round(rate), at: String(process.hrtime.bigint()) });
}

/** Waits until so much comes by both connections; how much. */
async function underLoad() {
  const end = performance.now() + RATE_WITHIN_MS;
  for (let most = 0; ;) {
    const [from, began] = [[...seen], performance.now()];
    await sleep(WINDOW_MS);
    const seconds = (performance.now() - began) / 1_000;
    const rate = Math.min(...seen.map((count, i) => count - from[i])) / seconds;
    if (rate >= RATE_MIN) return rate;
    most = Math.max(most, rate);
    if (performance.now() > end) throw new Error(`no more than ${most} messages a second`);
  }
}

function unrefAll() {
  server.unref();
  connection.unref();
  inside.unref();
}

async function closeAll() {
  await connection.close();
  await inside.close();
  await server.stop();
}

async function drainAll() {
  await connection.drain();
  await inside.drain();
  await server.stop();
  process.exitCode = 3;
}

tell({ url: server.url });
if (how === "main-open") {
  tellReady(0);
} else {
  if (how === "SIGTERM-drain") process.once("SIGTERM", drainAll);
  const rate = await underLoad();
  if (how === "throw") {
    setImmediate(() => {
      tellReady(rate);
      throw new Error("uncaught");
    });
  } else {
    tellReady(rate);
    if (how === "main-unref") unrefAll();
    if (how === "main-closed") await closeAll();
    if (how === "exit") process.exit(7);
  }
}
