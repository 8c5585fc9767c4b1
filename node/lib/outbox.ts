// SPDX-License-Identifier: Apache-2.0
//
// Owns what was published while the outgoing buffer of a connection was full: messages in their
// order, under a bound, sent as the library has room for them.
import * as abi from "./constants";
import {
  ConnectionClosedError, DisconnectedError, InvalidArgumentError, LimitError,
} from "./errors";
import type { Payload } from "./message";

/** A message that waits. */
export interface Waiting {
  readonly subject: string;
  readonly data: Buffer;
  readonly reply: string | undefined;
  readonly block: string | undefined;
  readonly bytes: number;
}

/** The connection, as far as it is needed here. */
export interface Outlet {
  /** Ends when there is room for so many bytes; rejects when the connection is over. */
  room(bytes: number): Promise<unknown>;
  /** OK or AGAIN. */
  send(message: Waiting): number;
  /** A message that waited is refused. */
  onRefused(error: unknown): void;
}

/** What the library and this add to a message, at most. */
const DESCRIPTION_BYTES = 64;
/** So much room is waited for, or an empty buffer: a wake-up for each message would be dear. */
const ROOM_BYTES_MIN = 256 * 1024;
const SENT_KEPT_MAX = 1024;

function copyOf(payload: Payload): Buffer {
  if (payload === undefined || payload === null) return Buffer.alloc(0);
  if (typeof payload === "string") return Buffer.from(payload, "utf8");
  if (ArrayBuffer.isView(payload)) {
    return Buffer.from(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength));
  }
  if (payload instanceof ArrayBuffer) return Buffer.from(payload.slice(0));
  throw new InvalidArgumentError("data must be a Uint8Array, another view of bytes or a string");
}

/** How many bytes a message has for the library at most: a character has three in UTF-8. */
function textBytes(text: string | undefined): number {
  return text === undefined ? 0 : text.length * 3;
}

export class Outbox {
  readonly #waiting: Waiting[] = [];
  #sent = 0;
  #bytes = 0;
  #sending: Promise<void> | undefined;

  constructor(private readonly bytesMax: number, private readonly outlet: Outlet) {}

  get isEmpty(): boolean {
    return this.#sent === this.#waiting.length;
  }

  /** Takes a message, which is sent after those that wait already. */
  add(
    subject: string, payload: Payload, reply: string | undefined,
    block: string | undefined): void {
    const data = copyOf(payload);
    const texts = textBytes(subject) + textBytes(reply) + textBytes(block);
    const bytes = data.length + texts + DESCRIPTION_BYTES;
    if (this.#bytes + bytes > this.bytesMax) {
      throw new LimitError(
        `maxWaitingBytes: ${this.#bytes + bytes} > ${this.bytesMax}: publish faster than ` +
          "the connection takes it only after ready()");
    }
    this.#bytes += bytes;
    this.#waiting.push({ subject, data, reply, block, bytes });
    if (this.#sending !== undefined) return;
    this.#sending = this.#sendAll();
    this.#sending.catch(() => {}); // Told to those who wait for it.
  }

  /** Ends when nothing waits any more; rejects when the connection is over before. */
  async ready(): Promise<void> {
    while (this.#sending !== undefined) await this.#sending;
  }

  async #sendAll(): Promise<void> {
    try {
      for (let first = this.#first(); first !== undefined; first = this.#first()) {
        await this.outlet.room(Math.max(first.bytes, ROOM_BYTES_MIN));
        this.#send();
      }
    } finally {
      this.#waiting.length = this.#sent = this.#bytes = 0;
      this.#sending = undefined;
    }
  }

  #first(): Waiting | undefined {
    return this.#waiting[this.#sent];
  }

  /** In order, until there is no room. */
  #send(): void {
    for (let next = this.#first(); next !== undefined; next = this.#first()) {
      try {
        if (this.outlet.send(next) === abi.AGAIN) return;
      } catch (error) {
        // There is room when it is back, or there will be no connection at all.
        if (error instanceof DisconnectedError || error instanceof ConnectionClosedError) return;
        this.outlet.onRefused(error);
      }
      this.#bytes -= next.bytes;
      this.#sent++;
      this.#forgetSent();
    }
  }

  /** When they are the larger part: each message is moved once, on the average. */
  #forgetSent(): void {
    if (this.#sent < SENT_KEPT_MAX || this.#sent * 2 < this.#waiting.length) return;
    this.#waiting.splice(0, this.#sent);
    this.#sent = 0;
  }
}
