// SPDX-License-Identifier: Apache-2.0
//
// Owns what a text must be that a program hands in as something other than a payload: a string that
// UTF-8 can say. JavaScript's may hold half a surrogate pair, which UTF-8 has no bytes for: sent
// as U+FFFD it would be another subject than the one that was given.
import { InvalidArgumentError } from "./errors";

/** Read by code points, which a whole pair is one of. */
const HALF_PAIR = /[\ud800-\udfff]/u;

/** Refuses half a surrogate pair; `what` names the argument. */
export function checkWellFormed(what: string, text: string): void {
  if (HALF_PAIR.test(text)) {
    throw new InvalidArgumentError(`${what} must be well-formed: it holds half a surrogate pair`);
  }
}

export function checkText(name: string, value: unknown): string {
  if (typeof value !== "string") throw new InvalidArgumentError(`${name} must be a string`);
  checkWellFormed(name, value);
  return value;
}
