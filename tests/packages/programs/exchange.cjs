// SPDX-License-Identifier: Apache-2.0
//
// A broker inside this process, a message through it by TCP and inside; what the package says.
const assert = require("node:assert");
const martlet = require("martlet");

async function exchange(target) {
  const connection = await martlet.connect(target);
  const subscription = connection.subscribe("greet.*");
  await connection.flush();
  connection.publish("greet.world", "hello");
  for await (const message of subscription) {
    assert.strictEqual(message.subject, "greet.world");
    assert.strictEqual(message.string(), "hello");
    break;
  }
  await connection.close();
}

async function main() {
  const server = await martlet.Server.start();
  await exchange(server);
  await exchange(server.url);
  await server.stop();
  const imported = await import("martlet");
  assert.strictEqual(imported.Server, martlet.Server);
  const told = { version: martlet.version, linked: martlet.linkedVersions() };
  console.log(JSON.stringify(told));
}

main();
