// SPDX-License-Identifier: Apache-2.0
import { AuthorizationError, connect, Server } from "martlet";

// guide: begin
const ann = { user: "ann", pass: "secret" };
const server = await Server.start(ann);
const inside = await connect(server, ann);
const greetings = inside.subscribe("greet");
await inside.flush(); // The broker knows of the subscription.

// Any client of NATS, in any program: here one of ours, over TCP.
const outside = await connect(server.url, ann);
outside.publish("greet", "hello");
const message = await greetings.next({ timeout: 5_000 });
console.log(`from outside: ${message.string()}`);

try {
  await connect(server.url);
} catch (error) {
  if (!(error instanceof AuthorizationError)) throw error;
  console.log("refused without a password");
}
// guide: end

await outside.close();
await inside.close();
await server.stop();
