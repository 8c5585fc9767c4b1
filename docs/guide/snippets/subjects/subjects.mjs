// SPDX-License-Identifier: Apache-2.0
import { connect, Server } from "martlet";

const server = await Server.start();
const connection = await connect(server);

// guide: begin
// * stands for one word. This subscription ends by itself after two messages.
const arrivals = connection.subscribe("flight.*.JFK", { max: 2 });
connection.publish("flight.AA.JFK", "on time");
connection.publish("flight.AA.LAX", "early");
connection.publish("flight.UA.JFK", "late");
for await (const message of arrivals) {
  console.log(`to JFK: ${message.subject} ${message.string()}`);
}

// > stands for all that follows. Callbacks run on the event loop.
connection.subscribe("flight.AA.>", {
  callback: (error, message) => {
    console.log(`of AA: ${message.subject} ${message.string()}`);
  },
});
connection.publish("flight.AA.JFK.gate", "B22");
connection.publish("flight.UA.JFK.gate", "C9");
connection.publish("flight.AA.LAX", "landed");
await connection.drain(); // Ends the connection when the callback has seen everything.
// guide: end

await server.stop();
