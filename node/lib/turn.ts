// SPDX-License-Identifier: Apache-2.0
//
// Owns the time for which what came may be handed out before others on the event loop have their
// turn: together, however many connections and subscriptions there are.
const TURN_MS = 2;

let began = 0;
let isOpen = false;
const waiting: (() => void)[] = [];

/** The library has woken the event loop, perhaps for several at once: their time begins. */
export function beginTurn(): void {
  if (isOpen) return;
  isOpen = true;
  began = performance.now();
  queueMicrotask(() => (isOpen = false)); // Behind all that were woken.
}

/** Others are to have their turn. */
export function isTurnOver(): boolean {
  return performance.now() - began > TURN_MS;
}

/** Calls it in the event loop's next turn, or, when the time does not reach, in one after it. */
export function goOnLater(run: () => void): void {
  waiting.push(run);
  if (waiting.length === 1) setImmediate(goOn);
}

function goOn(): void {
  const all = waiting.splice(0);
  let at = 0;
  try {
    began = performance.now();
    do (all[at++] as () => void)(); while (at < all.length && !isTurnOver());
  } finally {
    if (waiting.length === 0 && at < all.length) setImmediate(goOn);
    waiting.unshift(...all.slice(at)); // They come first.
  }
}
