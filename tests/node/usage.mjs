// SPDX-License-Identifier: Apache-2.0
//
// Owns what the tests look at that nothing is left behind: threads, descriptors and memory of this
// process, from /proc.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { until } from "./brokers.mjs";

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

export const residentKib = () =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]);
