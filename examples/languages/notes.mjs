// SPDX-License-Identifier: Apache-2.0
//
// What a guest publishes, and what it notes of the messages that it got. For the guests in Node;
// the same as notes.py, worked out again. Knows no client.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

export const SECONDS_MAX = 120;

export const tell = (event, more = {}) => console.log(JSON.stringify({ event, ...more }));

// Subjects and payloads of what the guest with this number publishes.
export function* shareOf(flights, number, guests) {
  for (let index = number; index < flights.length; index += guests) {
    const [tail, payload] = flights[index].split("\t");
    yield [`flights.${number}.${tail}`, payload];
  }
}

export const readFlights = (path) => readFileSync(path, "latin1").trimEnd().split("\n");

// The next line of standard input.
export async function go() {
  const input = createInterface({ input: process.stdin });
  await new Promise((resolve) => input.once("line", resolve).once("close", resolve));
  input.close();
}

// Counts, and one digest for each publisher.
export class Notes {
  messages = 0;
  bytes = 0;

  constructor(guests, expected) {
    this.expected = expected;
    this.chains = Array.from({ length: guests }, () => createHash("sha256"));
  }

  // True when all have come.
  add(subject, data) {
    this.messages += 1;
    this.bytes += data.length;
    const chain = this.chains[Number(subject.split(".", 2)[1])];
    chain.update(subject + " ").update(data).update("\n");
    return this.messages >= this.expected;
  }

  result() {
    const whole = createHash("sha256");
    for (const chain of this.chains) whole.update(chain.digest());
    return { messages: this.messages, bytes: this.bytes, digest: whole.digest("hex") };
  }
}
