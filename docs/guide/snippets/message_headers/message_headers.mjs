// SPDX-License-Identifier: Apache-2.0
import { connect, headers, Server } from "martlet";

const server = await Server.start();
const connection = await connect(server);

// guide: begin
const news = connection.subscribe("news");
const head = headers();
head.set("Content-Type", "text/plain");
head.append("Trace", "a");
head.append("Trace", "b");
connection.publish("news", "hello", { headers: head });

const message = await news.next({ timeout: 5_000 });
console.log(`Content-Type: ${message.headers.get("Content-Type")}`);
console.log(`Trace: ${message.headers.values("Trace").join(", ")}`);
// guide: end

await connection.close();
await server.stop();
