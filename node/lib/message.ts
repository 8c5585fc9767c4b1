// SPDX-License-Identifier: Apache-2.0
//
// Owns a message as a program sees it. It reads the batch that it came in when it is asked; who
// answers it does so over the connection that it came by.
import { inspect } from "node:util";
import type { InspectOptions } from "node:util";
import * as abi from "./constants";
import { InvalidArgumentError, TimeoutError } from "./errors";
import { Headers } from "./headers";
import type { MsgHdrs } from "./headers";
import type { Block } from "./block";
import type { Bytes } from "./raw";

/** What is sent: bytes, or a string, which is sent as UTF-8; half a surrogate pair in it becomes
 * U+FFFD, as by `Buffer.from`. */
export type Payload = Bytes;

export interface PublishOptions {
  /** The subject that answers are wanted on. */
  reply?: string;
  headers?: MsgHdrs;
}

/** What a message answers through. */
export interface Publisher {
  publish(subject: string, payload?: Payload, options?: PublishOptions): boolean;
}

export class Msg {
  private read: Buffer | undefined = undefined;

  /** Made by the package alone. */
  constructor(
    private readonly block: Block,
    private readonly at: number,
    private readonly publisher: Publisher,
  ) {}

  get subject(): string {
    return this.block.text(this.at, abi.DESCRIPTOR_SUBJECT_OFFSET_OFFSET);
  }

  /** The number of the subscription in its connection. */
  get sid(): number {
    return this.block.word(this.at, abi.DESCRIPTOR_SID_OFFSET);
  }

  /** The subject that an answer is wanted on. */
  get reply(): string | undefined {
    if (this.block.word(this.at, abi.DESCRIPTOR_REPLY_BYTES_OFFSET) === 0) return undefined;
    return this.block.text(this.at, abi.DESCRIPTOR_REPLY_OFFSET_OFFSET);
  }

  /** The payload. It is a view of the memory that the message came in: copy what is kept long. */
  get data(): Buffer {
    return (this.read ??= this.block.bytes(this.at, abi.DESCRIPTOR_DATA_OFFSET_OFFSET));
  }

  get headers(): MsgHdrs | undefined {
    const flags = this.block.word(this.at, abi.DESCRIPTOR_FLAGS_OFFSET);
    if ((flags & abi.FLAG_HEADERS) === 0) return undefined;
    return Headers.parse(this.block.text(this.at, abi.DESCRIPTOR_HEADERS_OFFSET_OFFSET));
  }

  /** The payload as UTF-8. */
  string(): string {
    return this.block.text(this.at, abi.DESCRIPTOR_DATA_OFFSET_OFFSET);
  }

  json<T = unknown>(reviver?: (this: unknown, key: string, value: unknown) => unknown): T {
    return JSON.parse(this.string(), reviver) as T;
  }

  /** Answers. False when the message wants none. */
  respond(payload?: Payload, options?: PublishOptions): boolean {
    const reply = this.reply;
    if (reply === undefined) return false;
    this.publisher.publish(reply, payload, options);
    return true;
  }

  /** What console.log shows: not the memory that it lies in. */
  [inspect.custom](_depth: number, options: InspectOptions): string {
    const { subject, reply, headers, data } = this;
    return `Msg ${inspect({ subject, reply, headers, data }, options)}`;
  }
}

/** For `timeout` and what else is a time in ms; undefined is `without`. */
export function checkMilliseconds(name: string, value: unknown, without: number): number {
  if (value === undefined) return without;
  if (typeof value !== "number" || !(value >= 0)) {
    throw new InvalidArgumentError(`${name} must be 0 or more ms`);
  }
  return Math.min(Math.ceil(value), 2147483647);
}

/** For counts. */
export function checkCount(name: string, value: unknown, min: number): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min) {
    throw new InvalidArgumentError(`${name} must be a whole number, ${min} or more`);
  }
  return value;
}

/** Why an aborted wait ends. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  if (typeof signal !== "object" || typeof signal.addEventListener !== "function") {
    throw new InvalidArgumentError("signal must be an AbortSignal");
  }
  signal.throwIfAborted();
}

/** Runs `onAbort` when the signal is aborted; the function that ends that. */
export function whenAborted(
  signal: AbortSignal | undefined, onAbort: (reason: unknown) => void): () => void {
  if (signal === undefined) return () => {};
  const listener = (): void => onAbort(signal.reason);
  signal.addEventListener("abort", listener, { once: true });
  return () => signal.removeEventListener("abort", listener);
}

/** Ends as the promise does, unless the time or the signal ends first. */
export function limited<T>(
  promise: Promise<T>, milliseconds: number, signal: AbortSignal | undefined,
  late: string): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      abortEnd();
    };
    const fail = (error: unknown): void => {
      end();
      reject(error);
    };
    const timer = setTimeout(() => fail(new TimeoutError(late)), milliseconds);
    const abortEnd = whenAborted(signal, fail);
    promise.then((result) => {
      end();
      resolve(result);
    }, fail);
  });
}
