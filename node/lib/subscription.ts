// SPDX-License-Identifier: Apache-2.0
//
// Owns a subscription: messages that a callback gets, or that a program reads by `for await`. One
// that is read has a queue of its own, so that what nobody reads waits under its bound and not in
// here.
import * as abi from "./constants";
import { poll } from "./block";
import type { Block } from "./block";
import { ConnectionClosedError, StateError, TimeoutError } from "./errors";
import { hold } from "./held";
import {
  checkCount, checkMilliseconds, Msg, throwIfAborted, whenAborted,
} from "./message";
import type { Publisher } from "./message";
import { checkNames, named, OPEN_QUEUE, subscriptionJson, WAIT_OPTIONS } from "./options";
import type { Bounds } from "./options";
import { raw } from "./raw";
import type { RawConnection, RawQueue, RawSubscription } from "./raw";
import { beginTurn, goOnLater, isTurnOver } from "./turn";

/**
 * What a subscription hands its messages to, one at a time and in their order. When it returns a
 * promise, the next message follows when that has ended; what waits meanwhile is under the bounds
 * of the subscription. What it throws, or its promise rejects with, is told as a status of type
 * "error", or, when nobody listens to those, as a warning of the process. `error` is always null.
 */
export type MsgCallback = (error: Error | null, message: Msg) => unknown;

export interface SubscriptionOptions extends Bounds {
  /** The queue group: each message goes to one of its members. */
  queue?: string;
  /** Ends by itself after so many messages. */
  max?: number;
  /** Called with each message; without it the subscription is iterated. */
  callback?: MsgCallback;
  /** Ends the subscription at once, with what was not handed out yet. */
  signal?: AbortSignal;
}

export interface NextOptions {
  /** ms; without limit by default. */
  timeout?: number;
  signal?: AbortSignal;
}

/** What a subscription needs of its connection. */
export interface Home extends Publisher {
  readonly raw: RawConnection;
  onSubscriptionEnd(subscription: Subscription): void;
  onSlowConsumer(subscription: Subscription, message: string): void;
  onCallbackError(error: unknown): void;
}

const MESSAGES_MAX = 1024;
const LOOK_EVERY = 8;

interface Waiter {
  resolve(message: Msg | undefined): void;
  reject(error: unknown): void;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined | null)?.then === "function";
}

export class Subscription implements AsyncIterable<Msg> {
  readonly #home: Home;
  readonly #raw: RawSubscription;
  readonly #queue: RawQueue;
  readonly #callback: MsgCallback | undefined;
  #block: Block | undefined;
  #waiter: Waiter | undefined;
  /** The handing out goes on in the event loop's next turn. */
  #goesOn = false;
  /** How many are read at once. One, if the callback takes its time: what waits in here is under
   * no bound. */
  #messagesMax = MESSAGES_MAX;
  /** The promise of the callback has not ended. */
  #isBusy = false;
  #handedOut = false;
  #received = 0;
  #counts: [number, number] = [0, 0];
  #isDraining = false;
  #isUnsubscribed = false;
  #ended = false;
  #release: () => void = () => {};
  #abortEnd: () => void = () => {};
  readonly #closed: Promise<void>;
  #onClosed: () => void = () => {};

  /** Made by `NatsConnection.subscribe`. */
  constructor(
    home: Home, readonly subject: string, options: SubscriptionOptions, bounds: Bounds,
    /** What the library knows it by in its connection. */
    readonly cookie: number) {
    this.#home = home;
    this.#callback = options.callback;
    this.queue = options.queue;
    this.max = options.max;
    this.#closed = new Promise((resolve) => (this.#onClosed = resolve));
    this.#queue = new raw.Queue(OPEN_QUEUE);
    this.#raw = named(() => new raw.Subscription(
      home.raw, subject, options.queue ?? "", subscriptionJson(bounds), this.#queue, cookie));
    this.#queue.setWake(() => this.#onWake());
    if (options.max !== undefined) this.#raw.autoUnsubscribe(options.max);
    if (options.callback !== undefined) this.#release = hold(this);
    this.#abortEnd = whenAborted(options.signal, () => this.#leave());
  }

  /** The queue group. */
  readonly queue: string | undefined;
  /** After how many messages it ends. */
  readonly max: number | undefined;

  /** Ends when no message can come any more; what came may be unread yet. */
  get closed(): Promise<void> {
    const release = this.isClosed() ? () => {} : hold(this);
    return this.#closed.finally(release);
  }

  getSubject(): string {
    return this.subject;
  }

  isClosed(): boolean {
    return this.#ended || this.#isUnsubscribed;
  }

  isDraining(): boolean {
    return this.#isDraining && !this.isClosed();
  }

  /** Messages that were handed to the program. */
  getProcessed(): number {
    return this.#received;
  }

  /** Messages that wait to be read. */
  getPending(): number {
    return (this.#ended ? 0 : this.#raw.pending()[0]) + this.#atHand();
  }

  /** Messages that came, whatever became of them. */
  getReceived(): number {
    return this.#count()[1];
  }

  /** Messages lost at the bound. */
  getDropped(): number {
    return this.#count()[0];
  }

  /**
   * Ends now, or by itself after `max` messages counted from its beginning. What came before can
   * still be iterated; a callback is not called again. Throws ConnectionClosedError when it has
   * ended already.
   */
  unsubscribe(max?: number): void {
    if (max !== undefined) checkCount("max", max, 1);
    if (this.isClosed()) throw new ConnectionClosedError("the subscription has ended");
    if (max !== undefined) {
      this.#raw.autoUnsubscribe(max);
      return;
    }
    this.#raw.unsubscribe();
    if (this.#callback !== undefined) {
      this.#end();
      return;
    }
    this.#isUnsubscribed = true;
    this.#onClosed();
  }

  /** Ends in order: what was sent before the server learned of it still comes. Rejects with
   * ConnectionClosedError when it has ended already. */
  async drain(): Promise<void> {
    this.beginDrain();
    await this.closed;
  }

  /** The same, and nobody waits. */
  beginDrain(): void {
    if (this.isClosed()) throw new ConnectionClosedError("the subscription has ended");
    if (this.#isDraining) return;
    this.#raw.drain();
    this.#isDraining = true;
  }

  /** @internal Messages that the program has not got yet. */
  get unread(): number {
    return this.getPending();
  }

  /** @internal A callback or the body of a loop is busy with a message. */
  get isBusy(): boolean {
    return this.#isBusy || (this.#handedOut && this.#waiter === undefined);
  }

  /**
   * The next message. Rejects with TimeoutError, the reason of the signal, or ConnectionClosedError
   * when nothing can come any more.
   */
  async next(options: NextOptions = {}): Promise<Msg> {
    checkNames(options, WAIT_OPTIONS);
    const timeout = checkMilliseconds("timeout", options.timeout, -1);
    throwIfAborted(options.signal);
    const next = this.#next();
    const waiter = this.#waiter;
    const give = (error: unknown): void => {
      if (this.#waiter !== waiter || waiter === undefined) return;
      this.#endWait();
      waiter.reject(error);
    };
    const timer = waiter === undefined || timeout < 0
      ? undefined : setTimeout(() => give(new TimeoutError("no message in time")), timeout);
    const abortEnd = whenAborted(options.signal, give);
    try {
      const message = await next;
      this.#handedOut = false; // Nobody can see what is done with it.
      if (message === undefined) throw new ConnectionClosedError("the subscription has ended");
      return message;
    } finally {
      clearTimeout(timer);
      abortEnd();
    }
  }

  /** Reads it; leaving the loop ends the subscription, with what is unread. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Msg> {
    this.#refuseCallback();
    const iterator: AsyncIterableIterator<Msg> = {
      next: () => {
        const message = this.#take();
        if (message !== undefined) return Promise.resolve({ done: false, value: message });
        return this.#next().then((value) => value === undefined
          ? { done: true, value: undefined } : { done: false, value });
      },
      return: () => {
        this.#leave();
        return Promise.resolve({ done: true, value: undefined });
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  /** Arrays of messages, each what has gathered meanwhile: the fastest way to read. */
  async *batches(): AsyncGenerator<Msg[], void, void> {
    this.#refuseCallback();
    try {
      for (;;) {
        const first = await this.#next();
        if (first === undefined) return;
        const batch = [first];
        for (let more = this.#take(); more !== undefined; more = this.#take()) batch.push(more);
        yield batch;
      }
    } finally {
      this.#leave();
    }
  }

  /** Ends it at once, with what was not handed out yet. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#leave();
  }

  // --- what the connection calls ---

  /** @internal Its connection is over; what waits in its queue is still handed out. */
  onConnectionClosed(): void {
    if (this.#ended) return;
    this.#queue.close();
    this.#onWake();
  }

  /** @internal This program has closed the connection: no callback is called any more. */
  stopCallback(): void {
    if (this.#callback !== undefined) this.#end();
  }

  // --- the callback ---

  /** Hands out what came; lets others have their turn after a while. */
  #handOut(): void {
    for (let left = 0; !this.#isBusy; left--) {
      if (left === 0) {
        if (isTurnOver()) {
          this.#handOutLater();
          return;
        }
        left = LOOK_EVERY;
      }
      const message = this.#takeOrFetch();
      if (message === undefined) return;
      this.#deliver(message);
    }
  }

  #handOutLater(): void {
    this.#goesOn = true;
    goOnLater(() => {
      this.#goesOn = false;
      this.#handOut();
    });
  }

  #deliver(message: Msg): void {
    try {
      const result = (this.#callback as MsgCallback)(null, message);
      if (isThenable(result)) void this.#waitFor(result);
    } catch (error) {
      this.#home.onCallbackError(error);
    }
  }

  async #waitFor(result: PromiseLike<unknown>): Promise<void> {
    this.#messagesMax = 1;
    this.#isBusy = true;
    try {
      await result;
    } catch (error) {
      this.#home.onCallbackError(error);
    }
    this.#isBusy = false;
    this.#handOut();
  }

  // --- reading ---

  #refuseCallback(): void {
    if (this.#callback !== undefined) throw new StateError("the subscription has a callback");
  }

  #atHand(): number {
    const block = this.#block;
    return block === undefined ? 0 : (block.end - block.at) / block.stride;
  }

  /** The next message of the block at hand. */
  #take(): Msg | undefined {
    const block = this.#block;
    if (block === undefined) return undefined;
    while (block.at < block.end) {
      const at = block.at;
      block.at += block.stride;
      const kind = block.word(at, abi.DESCRIPTOR_KIND_OFFSET);
      if (kind === abi.KIND_MESSAGE) {
        this.#received++;
        this.#handedOut = this.#callback === undefined;
        return new Msg(block, at, this.#home);
      }
      this.#onOther(kind, block, at);
    }
    this.#block = undefined;
    return undefined;
  }

  #onOther(kind: number, block: Block, at: number): void {
    if (kind === abi.KIND_SUBSCRIPTION_END) {
      this.#end();
    } else if (kind === abi.KIND_SLOW_CONSUMER) {
      this.#home.onSlowConsumer(this, block.text(at, abi.DESCRIPTOR_DATA_OFFSET_OFFSET));
    }
  }

  /** Reads on; false when nothing is there, or nothing can come any more. */
  #fetch(): boolean {
    if (this.#ended) return false;
    const got = poll(this.#queue, this.#messagesMax);
    if (typeof got !== "number") {
      this.#block = got;
      return true;
    }
    if (got === abi.DONE) this.#end();
    return false;
  }

  #takeOrFetch(): Msg | undefined {
    let message = this.#take();
    while (message === undefined && this.#fetch()) message = this.#take();
    return message;
  }

  /** The next message; undefined when none can come any more. */
  #next(): Promise<Msg | undefined> {
    this.#refuseCallback();
    if (this.#waiter !== undefined) {
      return Promise.reject(new StateError("somebody waits for the next one already"));
    }
    let message = this.#take();
    // Who reads without a pause must not keep others from the event loop.
    if (message === undefined && !this.#ended && isTurnOver()) {
      const wait = this.#wait();
      goOnLater(() => this.#resume());
      return wait;
    }
    message ??= this.#takeOrFetch();
    if (message !== undefined) return Promise.resolve(message);
    this.#handedOut = false;
    return this.#ended ? Promise.resolve(undefined) : this.#wait();
  }

  #wait(): Promise<Msg | undefined> {
    this.#release = hold(this);
    this.#handedOut = false;
    return new Promise((resolve, reject) => (this.#waiter = { resolve, reject }));
  }

  #endWait(): void {
    this.#waiter = undefined;
    this.#release();
  }

  #onWake(): void {
    beginTurn();
    if (this.#callback === undefined) this.#resume();
    else if (!this.#goesOn && !this.#isBusy) this.#handOut();
  }

  /** Gives the one who waits what came. */
  #resume(): void {
    const waiter = this.#waiter;
    if (waiter === undefined) return;
    const message = this.#takeOrFetch();
    if (message === undefined || this.#waiter !== waiter) return;
    this.#endWait();
    waiter.resolve(message);
  }

  // --- the end ---

  #count(): [number, number] {
    if (!this.#ended) this.#counts = this.#raw.dropped();
    return this.#counts;
  }

  /** Nobody wants what is unread. */
  #leave(): void {
    this.#block = undefined;
    this.#handedOut = false;
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#count();
    this.#ended = true;
    if (this.#callback !== undefined) this.#block = undefined;
    this.#raw.free();
    this.#queue.free();
    this.#abortEnd();
    this.#release();
    const waiter = this.#waiter;
    this.#waiter = undefined;
    this.#home.onSubscriptionEnd(this);
    this.#onClosed();
    waiter?.resolve(undefined);
  }
}
