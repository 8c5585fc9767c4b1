// SPDX-License-Identifier: Apache-2.0
//
// Owns a program (--expose-gc) that drops connections, subscriptions and a server without closing
// them, and reports as JSON what the broker still sees, and when it saw the last one go.
import { setTimeout as sleep } from "node:timers/promises";
import { connect, Server } from "martlet";

const broker = await Server.start();
const watching = await connect(broker);

async function drop() {
  for (let i = 0; i < 5; i++) {
    const connection = await connect(broker.url);
    const subscription = connection.subscribe(`dropped.${i}`);
    connection.publish(`dropped.${i}`, "unread");
    await connection.flush();
    await subscription.next();
  }
  const inside = await connect(broker);
  inside.subscribe("dropped.inside");
  await inside.flush();
  const server = await Server.start();
  return server.unref().port;
}

/** One with a callback serves although no variable holds it. */
async function serve() {
  const connection = await connect(broker.url);
  connection.subscribe("served", { callback: (_, message) => message.respond("yes") });
  await connection.flush();
}

const port = await drop();
await serve();
const began = performance.now();
let counted;
do {
  globalThis.gc();
  await sleep(20);
  counted = broker.statistics();
} while (counted.connections > 2 && performance.now() - began < 10_000);
const milliseconds = performance.now() - began;
globalThis.gc();
await sleep(50);
const answer = (await watching.request("served", "", { timeout: 2_000 })).string();
const serverGone = await connect(`nats://127.0.0.1:${port}`, { timeout: 500 }).then(
  async (connection) => {
    await connection.close();
    return false;
  }, () => true);
console.log(JSON.stringify({
  milliseconds, connections: counted.connections, subscriptions: counted.subscriptions, answer,
  serverGone,
}));
process.exit(0);
