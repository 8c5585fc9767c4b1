// SPDX-License-Identifier: Apache-2.0
//
// Owns what was published while the outgoing buffer of a connection was full: messages in their
// order, under a bound, until the library has room for them.
import * as abi from "./constants";
import { InvalidArgumentError, LimitError } from "./errors";
import type { Payload } from "./message";
import type { RawConnection } from "./raw";

interface Waiting {
  subject: string;
  data: Buffer;
  reply: string | undefined;
  block: string | undefined;
}

const DESCRIPTION_BYTES = 64;

function copyOf(payload: Payload): Buffer {
  if (payload === undefined || payload === null) return Buffer.alloc(0);
  if (typeof payload === "string") return Buffer.from(payload, "utf8");
  if (ArrayBuffer.isView(payload)) {
    return Buffer.from(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength));
  }
  if (payload instanceof ArrayBuffer) return Buffer.from(payload.slice(0));
  throw new InvalidArgumentError("data must be a Uint8Array, another view of bytes or a string");
}

export class Outbox {
  readonly #waiting: Waiting[] = [];
  #first = 0;
  #bytes = 0;

  constructor(private readonly bytesMax: number) {}

  get isEmpty(): boolean {
    return this.#first === this.#waiting.length;
  }

  /** The size of the message that waits first. */
  get bytesNeeded(): number {
    const first = this.#waiting[this.#first];
    return first === undefined ? 0 : first.data.length + (first.block?.length ?? 0);
  }

  add(
    subject: string, payload: Payload, reply: string | undefined,
    block: string | undefined): void {
    const data = copyOf(payload);
    const bytes = data.length + subject.length + (block?.length ?? 0) + DESCRIPTION_BYTES;
    if (this.#bytes + bytes > this.bytesMax) {
      throw new LimitError(
        `maxWaitingBytes: ${this.#bytes + bytes} > ${this.bytesMax}: publish faster than ` +
          "the connection takes it only after ready()");
    }
    this.#bytes += bytes;
    this.#waiting.push({ subject, data, reply, block });
  }

  /** Publishes in order until the library has no room; `onError` hears of what it refuses. */
  send(connection: RawConnection, onError: (error: unknown) => void): void {
    for (;;) {
      const next = this.#waiting[this.#first];
      if (next === undefined) break;
      try {
        const { subject, data, reply, block } = next;
        if (connection.publish(subject, data, reply, block) === abi.AGAIN) return;
      } catch (error) {
        onError(error);
      }
      this.#first++;
    }
    this.clear();
  }

  clear(): void {
    this.#waiting.length = 0;
    this.#first = 0;
    this.#bytes = 0;
  }
}
