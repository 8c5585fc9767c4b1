// SPDX-License-Identifier: Apache-2.0
import { connect, Server } from "martlet";

const server = await Server.start();

// guide: begin
const connection = await connect(server, { reconnectTimeWait: 50 });
const news = connection.subscribe("news");
const events = connection.status();
await server.stop();
for await (const event of events) {
  if (event.type === "disconnect") {
    console.log("connection lost");
    connection.publish("news", "sent meanwhile"); // Waits in a buffer.
    await server.start();
  } else if (event.type === "reconnect") {
    console.log("connected again");
    break;
  }
}
const message = await news.next({ timeout: 5_000 });
console.log(`news: ${message.string()}`);
console.log(`reconnects: ${connection.stats().reconnects}`);
// guide: end

await connection.close();
await server.stop();
