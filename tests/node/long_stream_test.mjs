// SPDX-License-Identifier: Apache-2.0
//
// Goal: ten million messages leave the memory of the process as two million have left it. Method:
// from one connection to another inside the process, with the reader's bound in force and few under
// way, so that what waits is the same throughout, however busy the machine is; what is allocated
// natively is looked at every half million. It comes and goes by some MiB, so the least that each
// half of the stream saw is compared.
import { test } from "node:test";
import { connect } from "martlet";
import { testServer } from "martlet/testing";
import { memoryStaysFlat, nativeKib } from "./usage.mjs";

const PIECE_MESSAGES = 500_000;
const WARM_PIECES = 4;
const HALF_PIECES = 10;
const HALVES_MAX = 8;
const GROWTH_KIB_MAX = 4_096; // Over five million messages: not one byte for each.
// Few, so that the most that is ever under way is soon reached: the allocator keeps room for that.
const UNDER_WAY_MAX = 2_048;
const UNREAD_MAX = 512;
const BURST = 256;
const PAYLOAD = Buffer.alloc(128, "x");

async function stream(publisher, reader, count) {
  let seen = 0;
  const done = new Promise((resolve) => {
    const subscription = reader.subscribe("long", {
      policy: "block_reader", maxPendingMessages: UNREAD_MAX,
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
    if (i % BURST < BURST - 1) continue;
    do await new Promise(setImmediate); while (i - seen > UNDER_WAY_MAX);
  }
  await done;
}

test("ten million messages leave the memory flat", { timeout: 600_000 }, async (context) => {
  const server = await testServer(context, { listen: false });
  const [publisher, reader] = [await connect(server), await connect(server)];
  await stream(publisher, reader, WARM_PIECES * PIECE_MESSAGES);
  try {
    await memoryStaysFlat(context, async () => {
      const seen = [];
      for (let i = 0; i < HALF_PIECES; i++) {
        await stream(publisher, reader, PIECE_MESSAGES);
        seen.push(await nativeKib());
      }
      context.diagnostic(`KiB: ${seen.join(" ")}`);
      return Math.min(...seen);
    }, { growthKibMax: GROWTH_KIB_MAX, halvesMax: HALVES_MAX });
  } finally {
    await publisher.close();
    await reader.close();
  }
});
