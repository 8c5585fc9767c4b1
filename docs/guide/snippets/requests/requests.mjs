// SPDX-License-Identifier: Apache-2.0
import { connect, NoRespondersError, Server, TimeoutError } from "martlet";

const server = await Server.start();
const connection = await connect(server);

// guide: begin
connection.subscribe("greet", {
  callback: (error, request) => request.respond(`hello ${request.string()}`),
});
const answer = await connection.request("greet", "Ann", { timeout: 5_000 });
console.log(`answer: ${answer.string()}`);

try {
  await connection.request("nobody", "Ann", { timeout: 5_000 });
} catch (error) {
  if (!(error instanceof NoRespondersError)) throw error;
  console.log("nobody listens");
}

connection.subscribe("silence", { callback: () => {} });
try {
  await connection.request("silence", "Ann", { timeout: 50 });
} catch (error) {
  if (!(error instanceof TimeoutError)) throw error;
  console.log("no answer in time");
}
// guide: end

await connection.close();
await server.stop();
