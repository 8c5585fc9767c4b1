// SPDX-License-Identifier: Apache-2.0
//
// Owns the answers to one request that several give: they are read as they come.
import { whenAborted } from "./message";
import type { Msg } from "./message";

interface Waiter {
  resolve(result: IteratorResult<Msg>): void;
  reject(error: unknown): void;
}

export class Replies implements AsyncIterableIterator<Msg> {
  readonly #messages: Msg[] = [];
  readonly #waiters: Waiter[] = [];
  readonly #abortEnd: () => void;
  #ended = false;
  #error: unknown;

  /** `onEnd`: nobody reads any more, or nothing comes any more. */
  constructor(signal: AbortSignal | undefined, private readonly onEnd: () => void) {
    this.#abortEnd = whenAborted(signal, (reason) => this.end(reason));
  }

  push(message: Msg): void {
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.#messages.push(message);
    else waiter.resolve({ done: false, value: message });
  }

  end(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#abortEnd();
    this.onEnd();
    for (const waiter of this.#waiters.splice(0)) this.#finish(waiter);
  }

  next(): Promise<IteratorResult<Msg>> {
    const message = this.#messages.shift();
    if (message !== undefined) return Promise.resolve({ done: false, value: message });
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject };
      if (this.#ended) this.#finish(waiter);
      else this.#waiters.push(waiter);
    });
  }

  return(): Promise<IteratorResult<Msg>> {
    this.end(undefined);
    this.#messages.length = 0;
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #finish(waiter: Waiter): void {
    const error = this.#error;
    this.#error = undefined;
    if (error === undefined) waiter.resolve({ done: true, value: undefined });
    else waiter.reject(error);
  }
}
