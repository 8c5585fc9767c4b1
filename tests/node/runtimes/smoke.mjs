// SPDX-License-Identifier: Apache-2.0
//
// Owns a program that uses each part of the package once, and prints "smoke passed" when all did
// what they should. It is written for any runtime that speaks the Node-API.
import { connect, headers, InvalidArgumentError, NoRespondersError, Server } from "martlet";

function check(holds, what) {
  if (!holds) throw new Error(what);
}

/** Waits until `condition` holds, for some seconds. */
async function until(condition, what) {
  for (let tries = 0; !condition(); tries++) {
    check(tries < 2_000, what);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function messages(connection, other) {
  const seen = [];
  connection.subscribe("greet", { callback: (_, message) => seen.push(message.string()) });
  const read = connection.subscribe("greet", { max: 100 });
  await connection.flush();
  const sent = headers();
  sent.set("A", "b");
  for (let i = 0; i < 100; i++) other.publish("greet", `hello ${i}`, { headers: sent });
  let next = 0;
  for await (const message of read) {
    check(message.string() === `hello ${next++}`, `out of order at ${next}`);
    check(message.headers.get("A") === "b", "a header was lost");
  }
  check(next === 100, `${next} messages of 100 were read`);
  await until(() => seen.length === 100, "callbacks are missing");
}

async function requests(connection, other) {
  connection.subscribe("double", {
    callback: async (_, message) => message.respond(String(Number(message.string()) * 2)),
  });
  await connection.flush();
  check((await other.request("double", "21")).string() === "42", "a wrong answer");
  const nobody = await other.request("nobody").catch((error) => error);
  check(nobody instanceof NoRespondersError, `not refused: ${nobody}`);
  const controller = new AbortController();
  connection.subscribe("silent", { callback: () => {} });
  await connection.flush();
  const waits = other.request("silent", "", { signal: controller.signal, timeout: 20_000 });
  controller.abort(new Error("enough"));
  check((await waits.catch((error) => error)).message === "enough", "not aborted");
}

/** Each engine has its own way with half a surrogate pair. */
async function broken(connection) {
  for (const subject of ["a\ud800", `${"x".repeat(300)}\udfff`]) {
    try {
      connection.publish(subject, "x");
    } catch (error) {
      check(error instanceof InvalidArgumentError, `otherwise refused: ${error}`);
      continue;
    }
    check(false, "half a surrogate pair was taken");
  }
  const whole = connection.subscribe("whole.*");
  connection.publish("whole.\ufffd", "\ud800");
  const message = await whole.next({ timeout: 5_000 });
  check(message.subject === "whole.\ufffd" && message.string() === "\ufffd", "otherwise read");
  whole.unsubscribe();
}

const server = await Server.start();
for (const target of [server.url, server]) {
  const connection = await connect(target);
  const other = await connect(target);
  await messages(connection, other);
  await requests(connection, other);
  await broken(connection);
  await connection.drain();
  await other.close();
}
await until(() => server.statistics().connections === 0, "a connection is left");
await server.stop();
console.log("smoke passed");
