// SPDX-License-Identifier: Apache-2.0
//
// Owns a worker thread with a broker and connections of its own under load. `workerData.url` is a
// broker that it is to be seen at; `workerData.how` is how it ends when its load runs: without it,
// it never ends by itself.
import { parentPort, workerData } from "node:worker_threads";
import { connect, Server } from "martlet";

const server = await Server.start();
const connection = await connect(server.url);
const outside = await connect(workerData.url);
let seen = 0;
let isEnding = false;

async function closeAll() {
  isEnding = true;
  await connection.close();
  await outside.close();
  await server.stop();
}

connection.subscribe("load", {
  callback: () => {
    if (++seen !== 1_000) return;
    parentPort.postMessage({ url: server.url });
    if (workerData.how === "exit") process.exit(5);
    if (workerData.how === "throw") setImmediate(() => { throw new Error("uncaught"); });
    if (workerData.how === "closed") void closeAll();
  },
});
outside.subscribe("outside", { callback: () => {} });
await outside.flush();
const again = () => {
  if (isEnding) return;
  for (let i = 0; i < 500; i++) connection.publish("load", "x");
  setImmediate(again);
};
again();
