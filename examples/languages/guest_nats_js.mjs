// SPDX-License-Identifier: Apache-2.0
//
// nats.js: `guest_nats_js.mjs guest URL NUMBER GUESTS FILE`, with the client in the folder
// $NATS_JS_MODULES. Knows nothing of Martlet. See README.md.
import { createRequire } from "node:module";
import { go, Notes, readFlights, SECONDS_MAX, shareOf, tell } from "./notes.mjs";

const require = createRequire(process.env.NATS_JS_MODULES + "/");
const { connect } = require("@nats-io/transport-node");

const YIELD_EVERY = 500;
const [, url, number, guests, path] = process.argv.slice(2);
const flights = readFlights(path);
const notes = new Notes(Number(guests), flights.length);
const connection = await connect({ servers: url, name: "nats.js", reconnect: false });
const complete = new Promise((resolve) => {
  connection.subscribe("flights.>", {
    callback: (error, message) => {
      if (error || notes.add(message.subject, message.data)) resolve(error);
    },
  });
});
await connection.flush();
tell("ready");
await go();
let count = 0;
for (const [subject, payload] of shareOf(flights, Number(number), Number(guests))) {
  connection.publish(subject, payload);
  count += 1;
  if (count % YIELD_EVERY === 0) await connection.flush();
}
const late = new Promise((resolve) => setTimeout(resolve, SECONDS_MAX * 1000).unref());
await Promise.race([complete, late]);
tell("result", notes.result());
await connection.close();
