// SPDX-License-Identifier: Apache-2.0
//
// Owns what the steps of a scenario wait for: what callbacks have put, and what lets them go. Every
// wait is bounded.
import { setTimeout as sleep } from "node:timers/promises";

const HOLD_MS = 10_000;

/** Ends with the promise, at the latest in time. */
export async function within(milliseconds, promise, late) {
  const timer = new AbortController();
  const end = sleep(milliseconds, late, { signal: timer.signal }).catch(() => {});
  try {
    return await Promise.race([promise, end]);
  } finally {
    timer.abort();
  }
}

/** What is put by callbacks and waited for by steps. */
export class Log {
  #entries = [];
  #onChange = () => {};

  put(entry) {
    this.#entries.push(entry);
    this.#onChange();
  }

  /** The first that is wanted; ERR_TIMEOUT without one. */
  async take(milliseconds, wanted = () => true) {
    const end = performance.now() + milliseconds;
    for (;;) {
      const at = this.#entries.findIndex(wanted);
      if (at >= 0) return this.#entries.splice(at, 1)[0];
      const left = end - performance.now();
      if (left <= 0) return "ERR_TIMEOUT";
      await within(left, new Promise((resolve) => (this.#onChange = resolve)));
    }
  }
}

/** What lets held callbacks go. */
export class Gate {
  #opened = new Promise((resolve) => (this.open = resolve));

  wait() {
    return within(HOLD_MS, this.#opened);
  }
}
