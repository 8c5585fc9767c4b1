// SPDX-License-Identifier: Apache-2.0
//
// Martlet in Node: `guest_node.mjs host`, or `guest URL NUMBER GUESTS FILE`; the package in the
// folder $MARTLET_NODE_MODULES. See README.md.
import { createRequire } from "node:module";
import { go, Notes, readFlights, SECONDS_MAX, shareOf, tell } from "./notes.mjs";

const require = createRequire(process.env.MARTLET_NODE_MODULES + "/");
const { connect, Server } = require("martlet");

async function host() {
  const server = await Server.start();
  tell("ready", { url: server.url });
  process.stdin.resume();
  await new Promise((resolve) => process.stdin.once("end", resolve));
  await server.stop();
}

async function guest(url, number, guests, path) {
  const flights = readFlights(path);
  const notes = new Notes(guests, flights.length);
  const connection = await connect(url, { name: "node" });
  const signal = AbortSignal.timeout(SECONDS_MAX * 1000);
  const subscription = connection.subscribe("flights.>", { signal });
  await connection.flush();
  tell("ready");
  await go();
  const reading = read(subscription, notes);
  for (const [subject, payload] of shareOf(flights, number, guests)) {
    if (!connection.publish(subject, payload)) await connection.ready();
  }
  await reading.catch((error) => signal.aborted || Promise.reject(error));
  tell("result", notes.result());
  await connection.close();
}

async function read(subscription, notes) {
  for await (const message of subscription) {
    if (notes.add(message.subject, message.data)) return;
  }
}

const [mode, url, number, guests, path] = process.argv.slice(2);
await (mode === "host" ? host() : guest(url, Number(number), Number(guests), path));
