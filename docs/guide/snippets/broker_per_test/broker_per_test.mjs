// SPDX-License-Identifier: Apache-2.0
// guide: begin
import assert from "node:assert/strict";
import { test } from "node:test";
import { testConnection, testServer } from "martlet/testing";

test("a greeting arrives", async (context) => {
  const { connection } = await testConnection(context);
  const greetings = connection.subscribe("greet.*");
  connection.publish("greet.world", "hello");
  const message = await greetings.next({ timeout: 5_000 });
  assert.equal(message.string(), "hello");
});

test("each test has a broker of its own", async (context) => {
  const server = await testServer(context);
  assert.equal(server.statistics().in_msgs, 0);
});
// guide: end
