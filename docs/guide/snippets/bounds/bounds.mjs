// SPDX-License-Identifier: Apache-2.0
import { connect, Server } from "martlet";

const server = await Server.start();
const connection = await connect(server);

// guide: begin
const ticks = connection.subscribe("ticks", { maxPendingMessages: 3, policy: "drop_oldest" });
for (let tick = 0; tick < 10; tick++) connection.publish("ticks", String(tick));
await connection.flush(); // All of them have come back by now, and nobody has read.
console.log(`waiting: ${ticks.getPending()}, lost: ${ticks.getDropped()}`);

const read = [];
for await (const message of ticks) {
  read.push(message.string());
  if (read.length === 3) break; // Leaving the loop unsubscribes.
}
console.log("read:", ...read);
const { in_msgs, out_msgs } = server.statistics();
console.log(`the broker took ${in_msgs} and gave ${out_msgs}`);
// guide: end

await connection.close();
await server.stop();
