// SPDX-License-Identifier: Apache-2.0
//
// Owns scopes that hold what the package makes by `using` and `await using`, which Node reads from
// 24 on. Each gives what it held, for await_using_test.mjs to look at.
import { connect, Server } from "martlet";

/** What was made last ends first: nobody finds what it needs gone. */
export async function allOfThem() {
  const seen = [];
  const note = (what) => ({ [Symbol.asyncDispose]: async () => seen.push(what()) });
  await using server = await Server.start();
  await using _first = note(() => ["the server runs", server.isRunning]);
  await using connection = await connect(server.url);
  await using _second = note(() => ["the connection is open", !connection.isClosed()]);
  await using subscription = connection.subscribe("scope");
  await using _third = note(() => ["the subscription is open", !subscription.isClosed()]);
  connection.publish("scope", "inside");
  seen.push(["read", (await subscription.next({ timeout: 5_000 })).string()]);
  return { seen, server, connection, subscription };
}

/** What a connection has not sent yet when its scope ends is sent. */
export async function thatPublishes(url, subject, count) {
  await using connection = await connect(url);
  for (let i = 0; i < count; i++) connection.publish(subject, `${i}`);
}

/** What is thrown inside comes out when all has ended. */
export async function thatThrows(url, held) {
  await using connection = await connect(url);
  await using subscription = connection.subscribe("scope");
  held.push(connection, subscription);
  throw new Error("inside");
}

/** A server ends by `using`, too, which does not wait for it. */
export async function ofAServer() {
  using server = await Server.start();
  return server;
}
