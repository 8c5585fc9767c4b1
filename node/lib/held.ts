// SPDX-License-Identifier: Apache-2.0
//
// Owns what must not be collected although no variable of the program holds it: a connection or
// subscription with a callback, or one that somebody waits for. What nobody waits for may go, and
// its broker sees it leave.

const held = new Map<object, number>();

/** Keeps an object until the function that this gives is called. */
export function hold(thing: object): () => void {
  held.set(thing, (held.get(thing) ?? 0) + 1);
  let released = false;
  return () => {
    if (released) return;
    released = true;
    const count = (held.get(thing) as number) - 1;
    if (count === 0) held.delete(thing);
    else held.set(thing, count);
  };
}
