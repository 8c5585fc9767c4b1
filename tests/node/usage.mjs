// SPDX-License-Identifier: Apache-2.0
//
// Owns what the tests look at that nothing is left behind: threads, descriptors and memory of this
// process, from /proc; and how it is judged that memory stays as it is.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { until } from "./brokers.mjs";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");

/** What a descriptor stands for; "" for the one that the folder itself was read by. */
function targetOf(descriptor) {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return "";
  }
}

// Files are none of ours: Node 20 leaves one open when a worker is terminated while it is loaded.
export const held = () => ({
  threads: readdirSync("/proc/self/task").length,
  descriptors: readdirSync("/proc/self/fd").map(targetOf)
    .filter((target) => /^(socket|pipe|anon_inode):/.test(target)).length,
});

/** Soon there is no more than `before`. */
export async function flat(before) {
  await until(() => {
    const now = held();
    return now.threads <= before.threads && now.descriptors <= before.descriptors;
  }, 5_000);
}

/** KiB of this process that are in memory and neither a file's nor the engine's heap, nor buffers
 * that the engine counts, after full collections: what is allocated natively, ours above all. */
export async function nativeKib() {
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise(setImmediate); // What was collected is freed by then.
  }
  const status = readFileSync("/proc/self/status", "utf8");
  const { total_physical_size, external_memory } = getHeapStatistics();
  const engine = (total_physical_size + external_memory) / 1024;
  return Number(/RssAnon:\s+(\d+)/.exec(status)[1]) - Math.round(engine);
}

/** Two halves of something leave the memory flat: the second adds at most `growthKibMax` to what
 * the first has left. Where the engine's own has not settled by then, another half follows, up to
 * `halvesMax` of them, and the latest two are judged. `liveHalf` resolves to the KiB after it. */
export async function memoryStaysFlat(context, liveHalf, { growthKibMax, halvesMax }) {
  const kib = [];
  let grown;
  do {
    kib.push(await liveHalf());
    grown = kib.length < 2 ? Infinity : kib.at(-1) - kib.at(-2);
  } while (grown > growthKibMax && kib.length < halvesMax);
  const halves = `KiB after each half: ${kib.join(" ")}`;
  context.diagnostic(halves);
  assert.ok(grown <= growthKibMax, halves);
}
