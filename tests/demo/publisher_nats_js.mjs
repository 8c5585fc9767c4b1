// SPDX-License-Identifier: Apache-2.0
//
// A publisher on nats.js: `publisher_nats_js.mjs URL [TOKEN]`, with the client in the folder
// $NATS_JS_MODULES. Knows nothing of Martlet. Each line on its input is an array of messages in
// JSON, each a subject and a payload in base64; it says "published" when the broker has them all.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(process.env.NATS_JS_MODULES + "/");
const { connect } = require("@nats-io/transport-node");

const [servers, token] = process.argv.slice(2);
const connection = await connect({ servers, token, reconnect: false });
console.log("connected");
for await (const line of createInterface({ input: process.stdin })) {
  for (const [subject, payload] of JSON.parse(line)) {
    connection.publish(subject, Buffer.from(payload, "base64"));
  }
  await connection.flush();
  console.log("published");
}
await connection.close();
