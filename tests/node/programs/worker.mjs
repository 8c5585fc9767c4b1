// SPDX-License-Identifier: Apache-2.0
//
// Owns a worker thread with a broker and connections of its own under load; it never ends by
// itself. `workerData.url` is a broker that it is to be seen at.
import { parentPort, workerData } from "node:worker_threads";
import { connect, Server } from "martlet";

const server = await Server.start();
const connection = await connect(server.url);
const outside = await connect(workerData.url);
let seen = 0;
connection.subscribe("load", {
  callback: () => {
    if (++seen === 1_000) parentPort.postMessage({ url: server.url });
  },
});
outside.subscribe("outside", { callback: () => {} });
await outside.flush();
const again = () => {
  for (let i = 0; i < 500; i++) connection.publish("load", "x");
  setImmediate(again);
};
again();
