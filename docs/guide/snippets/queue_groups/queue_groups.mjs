// SPDX-License-Identifier: Apache-2.0
import { connect, Server } from "martlet";

const server = await Server.start();
const connection = await connect(server);

// guide: begin
const done = [];
const seen = [];
const worker = { queue: "workers", callback: (error, job) => done.push(job.string()) };
connection.subscribe("jobs", worker);
connection.subscribe("jobs", worker);
connection.subscribe("jobs", { callback: (error, job) => seen.push(job.string()) });
for (let number = 0; number < 6; number++) connection.publish("jobs", String(number));
await connection.drain();

console.log("workers did:", ...done.sort());
console.log("audit saw:", ...seen.sort());
// guide: end

await server.stop();
