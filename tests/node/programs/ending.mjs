// SPDX-License-Identifier: Apache-2.0
//
// Owns a program that has a broker, a connection over TCP and one inside the process, and ends in
// the way that its first argument names. It says "ready" when its load runs.
import { connect, Server } from "martlet";

const how = process.argv[2];
const server = await Server.start();
const connection = await connect(server.url);
const inside = await connect(server);
let seen = 0;
let isEnding = false;
connection.subscribe("load", { callback: () => seen++ });
inside.subscribe("load", { callback: () => seen++ });

function unrefAll() {
  server.unref();
  connection.unref();
  inside.unref();
}

async function load() {
  const payload = Buffer.alloc(128);
  for (;;) {
    for (let i = 0; i < 500; i++) if (!inside.publish("load", payload)) await inside.ready();
    await new Promise(setImmediate);
    if (seen > 1_000) break;
  }
  const again = () => {
    if (isEnding) return;
    for (let i = 0; i < 500; i++) inside.publish("load", payload);
    setImmediate(again);
  };
  again();
}

async function drainAll() {
  isEnding = true;
  await connection.drain();
  await inside.drain();
  await server.stop();
  process.exitCode = 3;
}

if (how === "main-unref") {
  unrefAll();
  console.log("ready");
} else if (how === "main-closed") {
  await connection.close();
  await inside.close();
  await server.stop();
  console.log("ready");
} else if (how === "main-open") {
  console.log("ready");
} else {
  if (how === "SIGTERM-drain") process.once("SIGTERM", drainAll);
  await load();
  console.log("ready");
  if (how === "exit") process.exit(7);
  if (how === "throw") {
    setImmediate(() => {
      throw new Error("uncaught");
    });
  }
}
