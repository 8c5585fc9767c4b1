// SPDX-License-Identifier: Apache-2.0
//
// Owns what a connection tells of itself: the events, as nats.js words them, the streams by which a
// program hears them, and its figures.
import type { Subscription } from "./subscription";

export type Status =
  | { type: "disconnect"; server: string; error?: Error }
  | { type: "reconnecting"; server: string }
  | { type: "reconnect"; server: string }
  | { type: "update"; added: string[] }
  | { type: "ldm"; server: string }
  | { type: "slowConsumer"; sub: Subscription | undefined; message: string }
  | { type: "error"; error: Error }
  | { type: "close"; error?: Error };

export interface Stats {
  inMsgs: number;
  outMsgs: number;
  inBytes: number;
  outBytes: number;
  reconnects: number;
  /** Alive at this moment. */
  subscriptions: number;
}

export interface ServerInfo {
  server_id: string;
  server_name: string;
  version: string;
  client_id: number;
  max_payload: number;
}

const WAITING_MAX = 1024;

/** Events that came since it was made, at most 1,024 unread: the oldest go first. */
export class StatusStream implements AsyncIterableIterator<Status> {
  readonly #events: Status[] = [];
  readonly #waiting: ((result: IteratorResult<Status>) => void)[] = [];
  #ended = false;

  /** `hold` keeps the connection while somebody waits; its answer ends that. */
  constructor(
    private readonly hold: () => () => void,
    private readonly onReturn: (stream: StatusStream) => void,
  ) {}

  push(event: Status): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) {
      waiting({ done: false, value: event });
      return;
    }
    this.#events.push(event);
    if (this.#events.length > WAITING_MAX) this.#events.shift();
  }

  end(): void {
    this.#ended = true;
    for (const waiting of this.#waiting.splice(0)) waiting({ done: true, value: undefined });
  }

  next(): Promise<IteratorResult<Status>> {
    const event = this.#events.shift();
    if (event !== undefined) return Promise.resolve({ done: false, value: event });
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    const release = this.hold();
    return new Promise((resolve) => {
      this.#waiting.push((result) => {
        release();
        resolve(result);
      });
    });
  }

  return(): Promise<IteratorResult<Status>> {
    this.end();
    this.onReturn(this);
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
