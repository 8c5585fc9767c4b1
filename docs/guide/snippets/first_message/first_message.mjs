// SPDX-License-Identifier: Apache-2.0
// guide: begin
import { connect, Server } from "martlet";

const server = await Server.start();
const connection = await connect(server);

const greetings = connection.subscribe("greet.*");
connection.publish("greet.world", "hello");
const message = await greetings.next({ timeout: 5_000 });
console.log(`${message.subject}: ${message.string()}`);

await connection.close();
await server.stop();
// guide: end
