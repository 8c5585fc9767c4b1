// SPDX-License-Identifier: Apache-2.0
//
// Owns the headers of a message: their block on the wire, and how a program reads and writes them.
import { InvalidArgumentError } from "./errors";

/** Headers of a message. A name may have several values; names are matched as they are written. */
export interface MsgHdrs extends Iterable<[string, string[]]> {
  /** The code of a status message of the server, else 0. */
  readonly code: number;
  readonly description: string;
  /** Code and description. */
  readonly status: string;
  /** Whether the code is that of a failure. */
  readonly hasError: boolean;
  /** The first value; "" when there is none. */
  get(name: string): string;
  /** The last value; "" when there is none. */
  last(name: string): string;
  values(name: string): string[];
  has(name: string): boolean;
  keys(): string[];
  set(name: string, value: string): void;
  append(name: string, value: string): void;
  delete(name: string): void;
}

// By code points, so that a whole surrogate pair is no surrogate.
const VALUE_FORBIDDEN = /[\r\n\ud800-\udfff]/u;
const NAME_FORBIDDEN = /[: \r\n\0\ud800-\udfff]/u;

export class Headers implements MsgHdrs {
  readonly #values = new Map<string, string[]>();

  constructor(readonly code = 0, readonly description = "") {}

  get status(): string {
    return `${this.code} ${this.description}`.trim();
  }

  get hasError(): boolean {
    return this.code >= 300;
  }

  get(name: string): string {
    return this.#values.get(name)?.[0] ?? "";
  }

  last(name: string): string {
    return this.#values.get(name)?.at(-1) ?? "";
  }

  values(name: string): string[] {
    return [...(this.#values.get(name) ?? [])];
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  keys(): string[] {
    return [...this.#values.keys()];
  }

  set(name: string, value: string): void {
    checkEntry(name, value);
    this.#values.set(name, [value]);
  }

  append(name: string, value: string): void {
    checkEntry(name, value);
    const values = this.#values.get(name);
    if (values === undefined) this.#values.set(name, [value]);
    else values.push(value);
  }

  delete(name: string): void {
    this.#values.delete(name);
  }

  [Symbol.iterator](): IterableIterator<[string, string[]]> {
    return this.#values.entries();
  }

  /** What came on the wire, kept as it is. */
  static parse(block: string): Headers {
    const lines = block.split("\r\n");
    const status = /^NATS\/1\.0 *(\d*) *(.*)$/.exec(lines[0] ?? "");
    const headers = new Headers(Number(status?.[1] ?? 0), status?.[2] ?? "");
    for (const line of lines.slice(1)) {
      const colon = line.indexOf(":");
      if (colon <= 0) continue;
      const name = line.slice(0, colon);
      const values = headers.#values.get(name);
      const value = line.slice(colon + 1).trim();
      if (values === undefined) headers.#values.set(name, [value]);
      else values.push(value);
    }
    return headers;
  }
}

/** Makes empty headers. */
export function headers(code = 0, description = ""): MsgHdrs {
  return new Headers(code, description);
}

function checkEntry(name: string, value: string): void {
  if (typeof name !== "string" || name === "" || NAME_FORBIDDEN.test(name)) {
    throw new InvalidArgumentError(
      `the header name ${JSON.stringify(name)} is empty or holds a colon, a space, a line end or ` +
        "half a surrogate pair");
  }
  if (typeof value !== "string" || VALUE_FORBIDDEN.test(value)) {
    throw new InvalidArgumentError(
      `the value of header ${JSON.stringify(name)} is no string, or holds a line end or half a ` +
        "surrogate pair");
  }
}

/** The block on the wire; undefined for no headers. */
export function headerBlock(given: MsgHdrs | undefined): string | undefined {
  if (given === undefined || given === null) return undefined;
  if (typeof given !== "object" || !(Symbol.iterator in given)) {
    throw new InvalidArgumentError("headers must be made by headers()");
  }
  const status = given.code > 0 ? ` ${given.code} ${given.description}`.trimEnd() : "";
  if (VALUE_FORBIDDEN.test(status)) {
    throw new InvalidArgumentError(
      "the description of headers holds a line end or half a surrogate pair");
  }
  let block = `NATS/1.0${status}\r\n`;
  for (const [name, values] of given) {
    for (const value of values) {
      checkEntry(name, value);
      block += `${name}: ${value}\r\n`;
    }
  }
  return `${block}\r\n`;
}
