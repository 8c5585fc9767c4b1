// SPDX-License-Identifier: Apache-2.0
//
// Goal: ten million messages leave the memory of the process as two million have left it. Method:
// from one connection to another inside the process, with the reader's bound in force, so that what
// waits is the same throughout; memory is read from /proc before and after.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "martlet";
import { testServer } from "martlet/testing";
import { residentKib } from "./usage.mjs";

const MESSAGES = 10_000_000;
const WARM_MESSAGES = 2_000_000;
const GROWTH_KIB_MAX = 60_000; // The collector does not give all back at once.
const PAYLOAD = Buffer.alloc(128, "x");

async function stream(publisher, reader, count) {
  let seen = 0;
  const done = new Promise((resolve) => {
    const subscription = reader.subscribe("long", {
      policy: "block_reader",
      callback: (_, message) => {
        if (message.data.length === PAYLOAD.length && ++seen === count) {
          subscription.unsubscribe();
          resolve();
        }
      },
    });
  });
  await reader.flush();
  for (let i = 0; i < count; i++) {
    if (publisher.publish("long", PAYLOAD) === false) await publisher.ready();
    if (i % 1024 === 1023) await new Promise(setImmediate);
  }
  await done;
}

test("ten million messages leave the memory flat", { timeout: 600_000 }, async (context) => {
  const server = await testServer(context, { listen: false });
  const [publisher, reader] = [await connect(server), await connect(server)];
  await stream(publisher, reader, WARM_MESSAGES);
  const before = residentKib();
  await stream(publisher, reader, MESSAGES);
  const grown = residentKib() - before;
  await publisher.close();
  await reader.close();
  assert.ok(grown < GROWTH_KIB_MAX, `${grown} KiB more`);
});
