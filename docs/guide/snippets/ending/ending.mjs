// SPDX-License-Identifier: Apache-2.0
import { connect, ConnectionClosedError, Server } from "martlet";

// guide: begin
const handled = [];
const server = await Server.start();
const reader = await connect(server);
reader.subscribe("jobs", { callback: (error, job) => handled.push(job.string()) });
await reader.flush();

const sender = await connect(server); // From Node 24 on: await using sender = ...
for (const job of ["1", "2", "3"]) sender.publish("jobs", job);
await sender[Symbol.asyncDispose](); // Sends everything, then closes.

await reader.drain(); // Hands over what has come, sends what was published, then closes.
console.log("handled:", ...handled);
try {
  reader.publish("jobs", "4");
} catch (error) {
  if (!(error instanceof ConnectionClosedError)) throw error;
  console.log("closed: nothing more is taken");
}
await server.stop(); // While it runs the process stays alive, unless it was told server.unref().
// guide: end
