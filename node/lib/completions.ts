// SPDX-License-Identifier: Apache-2.0
//
// Owns who waits for what the library has been asked for: each has a cookie, which comes back in
// the completion.
import * as abi from "./constants";
import type { Block } from "./block";
import { failureOf } from "./errors";
import { hold } from "./held";
import { whenAborted } from "./message";

/** Who waits for completions. */
export interface Waiting {
  /** Its status and descriptor. True: nothing more comes. */
  complete(status: number, block: Block, at: number): boolean;
  fail(error: unknown): void;
}

const whatFailed = (status: number): Error => failureOf(status, "", "it failed");

export class Completions {
  readonly #waiting = new Map<number, Waiting>();
  #cookies = 0;

  /** `home` is kept while somebody waits. */
  constructor(private readonly home: object) {}

  newCookie(): number {
    return ++this.#cookies;
  }

  add(cookie: number, waiting: Waiting): void {
    this.#waiting.set(cookie, waiting);
  }

  remove(cookie: number): void {
    this.#waiting.delete(cookie);
  }

  has(cookie: number): boolean {
    return this.#waiting.has(cookie);
  }

  /** Waits for the one completion of what `start` begins; `read` makes the result of it, and
   * `failure` the error that its status is. */
  expect<T>(
    signal: AbortSignal | undefined, read: (block: Block, at: number) => T,
    start: (cookie: number) => void | Promise<void>,
    failure: (status: number) => Error = whatFailed): Promise<T> {
    const cookie = this.newCookie();
    const release = hold(this.home);
    return new Promise<T>((resolve, reject) => {
      const abortEnd = whenAborted(signal, (reason) => fail(reason));
      const end = (): void => {
        this.remove(cookie);
        abortEnd();
        release();
      };
      const fail = (error: unknown): void => {
        end();
        reject(error);
      };
      const complete = (status: number, block: Block, at: number): boolean => {
        if (status < 0) {
          fail(failure(status));
        } else {
          end();
          resolve(read(block, at));
        }
        return true;
      };
      this.add(cookie, { complete, fail });
      try {
        start(cookie)?.catch(fail);
      } catch (error) {
        fail(error);
      }
    });
  }

  /** Hands on what came. */
  complete(block: Block, at: number): void {
    const cookie = block.cookie(at);
    const status = block.word(at, abi.DESCRIPTOR_STATUS_OFFSET);
    if (this.#waiting.get(cookie)?.complete(status, block, at)) this.remove(cookie);
  }

  /** Nothing comes any more. */
  failAll(error: unknown): void {
    for (const waiting of [...this.#waiting.values()]) waiting.fail(error);
    this.#waiting.clear();
  }
}
