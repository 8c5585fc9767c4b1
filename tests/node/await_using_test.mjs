// SPDX-License-Identifier: Apache-2.0
//
// Goal: `await using` ends what the package makes: the language itself calls what ends it, in the
// right order, whatever the scope ends by. Method: a module with that syntax, which is read only
// where the Node at hand can; Node 24 must.
import assert from "node:assert/strict";
import { test } from "node:test";
import { testConnection } from "martlet/testing";
import { until, within } from "./brokers.mjs";

const MAJOR = Number(process.versions.node.split(".")[0]);

/** Why this Node reads no `await using`; false when it does. */
function whyNot() {
  try {
    new Function("return async () => { await using nothing = null; }");
    return false;
  } catch (error) {
    assert.ok(error instanceof SyntaxError && MAJOR < 24, String(error));
    return `Node ${process.versions.node} has no \`await using\`; 24 has`;
  }
}

const skip = whyNot();
const scopes = skip ? undefined : await import("./programs/await_using.mjs");

test("what was made last ends first", { skip }, async () => {
  const { seen, server, connection, subscription } = await within(20_000, scopes.allOfThem());
  assert.deepEqual(seen, [
    ["read", "inside"], ["the subscription is open", true], ["the connection is open", true],
    ["the server runs", true],
  ]);
  assert.equal(subscription.isClosed(), true);
  assert.equal(connection.isClosed(), true);
  assert.equal(server.isRunning, false);
});

test("the end of a scope sends what was published in it", { skip }, async (context) => {
  const { server, connection } = await testConnection(context, { url: true });
  const subscription = connection.subscribe("scope");
  await connection.flush();
  await within(20_000, scopes.thatPublishes(server.url, "scope", 1_000));
  for (let i = 0; i < 1_000; i++) {
    assert.equal((await subscription.next({ timeout: 5_000 })).string(), `${i}`);
  }
  await until(() => server.statistics().connections === 1);
});

test("what is thrown in a scope comes out when all has ended", { skip }, async (context) => {
  const { server } = await testConnection(context, { url: true });
  const held = [];
  await assert.rejects(within(20_000, scopes.thatThrows(server.url, held)), { message: "inside" });
  assert.deepEqual(held.map((each) => each.isClosed()), [true, true]);
  await until(() => server.statistics().connections === 1);
});

test("`using` stops a server", { skip }, async () => {
  const server = await within(20_000, scopes.ofAServer());
  await until(() => !server.isRunning);
});
