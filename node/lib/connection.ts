// SPDX-License-Identifier: Apache-2.0
//
// Owns a connection as a program sees it, in the manner of nats.js, and `connect`. Nothing here
// waits for the library: its completions come through one queue, which wakes the event loop.
import { inspect } from "node:util";
import type { InspectOptions } from "node:util";
import * as abi from "./constants";
import { poll } from "./block";
import type { Block } from "./block";
import { Completions } from "./completions";
import {
  ConnectionClosedError, DisconnectedError, DrainingError, errorOf, failureOf,
  InvalidArgumentError, MartletError,
} from "./errors";
import { headerBlock } from "./headers";
import { hold } from "./held";
import {
  checkCount, checkMilliseconds, limited, Msg, throwIfAborted, whenAborted,
} from "./message";
import type { Payload, PublishOptions } from "./message";
import {
  checkNames, checkObject, CONNECTION, namedAsGiven, OPEN_QUEUE, REQUEST_MANY_OPTIONS,
  REQUEST_OPTIONS, WAIT_OPTIONS,
} from "./options";
import type { RequestManyOptions, RequestOptions, WaitOptions } from "./options";
import { Outbox } from "./outbox";
import { raw } from "./raw";
import type { RawConnection, RawPublish, RawQueue } from "./raw";
import { Replies } from "./replies";
import { Server } from "./server";
import { StatusStream } from "./status";
import type { ServerInfo, Stats, Status } from "./status";
import { Subscription } from "./subscription";
import type { Home, SubscriptionOptions } from "./subscription";
import { checkText } from "./text";
import { beginTurn, goOnLater, isTurnOver } from "./turn";

const MESSAGES_MAX = 1024;
const LOOK_EVERY = 32;
const FLUSH_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 1_000;
const DRAIN_POLL_MS = 5;
/** A request that found no room tries again when there is so much. */
const REQUEST_ROOM_BYTES = 64 * 1024;
/** How long a drain waits for the bodies of loops and callbacks that are busy with a last
 * message. */
const DRAIN_BODIES_MS = 1_000;
/** No subject of a program is equal to it. */
const NO_SUBJECT = Symbol("none");
const NO_ROOM = "the outgoing buffer had no room in time";

function requestFailure(status: number, subject: string, timeout: number): MartletError {
  let text = "";
  if (status === abi.ERR_TIMEOUT) text = `no answer to ${JSON.stringify(subject)} in ${timeout} ms`;
  if (status === abi.ERR_NO_RESPONDERS) text = `nobody listens to ${JSON.stringify(subject)}`;
  return failureOf(status, text, "the request failed");
}

const forgotten = new FinalizationRegistry<{ all: Map<number, unknown>; cookie: number }>(
  ({ all, cookie }) => all.delete(cookie));

/** A connection to a broker. Made by `connect`. While it is open the process stays alive. */
export class NatsConnection implements Home {
  /** @internal */
  readonly raw: RawConnection;
  readonly #publish: RawPublish;
  /** The one that `#publish` remembers. */
  #lastSubject: string | typeof NO_SUBJECT = NO_SUBJECT;
  readonly #queue: RawQueue;
  readonly #server: Server | undefined;
  readonly #drainTimeout: number;
  readonly #outbox: Outbox;
  readonly #subscriptions = new Map<number, WeakRef<Subscription>>();
  readonly #completions = new Completions(this);
  readonly #streams = new Set<StatusStream>();
  #block: Block | undefined;
  /** The reading goes on in the event loop's next turn. */
  #goesOn = false;
  #drains: Promise<void> | undefined;
  #isDraining = false;
  #isOver = false;
  #reason: Error | undefined;
  #statistics: Record<string, unknown> = {};
  #maxPayload = 0;
  #onOpened: (error: Error | undefined) => void = () => {};
  #onClosed: () => void = () => {};
  readonly #closed: Promise<void>;

  /** @internal */
  constructor(
    options: string, server: Server | undefined, drainTimeout: number, waitingBytes: number) {
    this.#server = server;
    this.#drainTimeout = drainTimeout;
    this.#outbox = new Outbox(waitingBytes, {
      room: (bytes) => this.#room(bytes),
      send: ({ subject, data, reply, block }) => this.#publishTo(subject, data, reply, block),
      onRefused: (error) => this.onCallbackError(error),
    });
    this.#closed = new Promise((resolve) => (this.#onClosed = resolve));
    this.#queue = new raw.Queue(OPEN_QUEUE);
    const broker = server === undefined ? null : Server.rawOf(server);
    this.raw = namedAsGiven(CONNECTION,
      () => new raw.Connection(options, broker, this.#queue, 0));
    this.#publish = this.raw.publisher();
    this.#queue.setWake(() => {
      beginTurn();
      if (!this.#goesOn) this.#dispatch();
    });
  }

  /** @internal */
  open(isLed: boolean, signal: AbortSignal | undefined): Promise<void> {
    const release = hold(this);
    let aborted: unknown;
    const abortEnd = whenAborted(signal, (reason) => {
      aborted = reason;
      this.raw.close();
    });
    return new Promise<void>((resolve, reject) => {
      this.#onOpened = (error) => {
        this.#onOpened = () => {};
        abortEnd();
        release();
        if (error === undefined) resolve();
        else reject(aborted ?? error);
      };
      this.raw.ref();
      try {
        this.raw.start();
        if (isLed) this.raw.lead();
      } catch (error) {
        this.raw.free();
        this.#onOpened(error as Error);
      }
    });
  }

  // --- messages ---

  /**
   * Publishes a message: it is copied before this returns, and sent soon. True: go on. False: it
   * was taken, but the outgoing buffer is full: publish more when `ready()` has ended, as after a
   * `write` of a stream.
   */
  publish(subject: string, payload?: Payload, options?: PublishOptions): boolean {
    if (!this.#outbox.isEmpty) return this.#publishLater(subject, payload, options);
    let status: number;
    if (options !== undefined) {
      const { reply, headers } = options;
      status = this.#publishTo(subject, payload, reply, headerBlock(headers));
    } else if (subject === this.#lastSubject) {
      status = this.#publish(payload);
    } else {
      status = this.#publishTo(subject, payload, undefined, undefined);
    }
    if (status === abi.OK) return true;
    return this.#publishLater(subject, payload, options);
  }

  /** Publishes a message with the subject, payload and headers of one that came. */
  publishMessage(message: Msg): boolean {
    const headers = message.headers;
    const reply = message.reply;
    return this.publish(message.subject, message.data, {
      ...(headers && { headers }), ...(reply !== undefined && { reply }),
    });
  }

  /** Ends when the outgoing buffer has taken what waited. Rejects with ConnectionClosedError, or
   * the reason of the end, when the connection is over before. */
  ready(): Promise<void> {
    return this.#outbox.ready();
  }

  /**
   * Subscribes to a subject, or to a pattern with `*` and `>`. With `callback` each message is
   * handed to it on the event loop; else the subscription is iterated.
   */
  subscribe(subject: string, options: SubscriptionOptions = {}): Subscription {
    const { queue, max, callback, signal, ...bounds } =
      checkObject("options", options) as SubscriptionOptions;
    checkText("subject", subject);
    if (queue !== undefined) checkText("queue", queue);
    if (max !== undefined) checkCount("max", max, 1);
    if (callback !== undefined && typeof callback !== "function") {
      throw new InvalidArgumentError("callback must be a function");
    }
    throwIfAborted(signal);
    this.#refuseClosed();
    const cookie = this.#completions.newCookie();
    const subscription = new Subscription(this, subject, options, bounds, cookie);
    this.#subscriptions.set(cookie, new WeakRef(subscription));
    forgotten.register(subscription, { all: this.#subscriptions, cookie }, subscription);
    return subscription;
  }

  /** Sends a request and waits for its first answer. Rejects with NoRespondersError, TimeoutError,
   * or the reason of the signal. */
  request(subject: string, payload?: Payload, options: RequestOptions = {}): Promise<Msg> {
    try {
      checkNames(options, REQUEST_OPTIONS);
      const timeout = checkMilliseconds("timeout", options.timeout, REQUEST_TIMEOUT_MS);
      checkText("subject", subject);
      throwIfAborted(options.signal);
      this.#refuseClosed();
      const block = headerBlock(options.headers);
      const read = (from: Block, at: number): Msg => new Msg(from, at, this);
      const start = (cookie: number): void | Promise<void> =>
        this.#requestStart(timeout, cookie, (left) => this.raw.requestStart(
          subject, payload, block, left, this.#queue, cookie));
      return this.#completions.expect(options.signal, read, start, (status) =>
        requestFailure(status, subject, timeout));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Sends a request and gives every answer that comes in time. */
  async requestMany(
    subject: string, payload?: Payload, options: RequestManyOptions = {}): Promise<Replies> {
    checkNames(options, REQUEST_MANY_OPTIONS);
    const timeout = checkMilliseconds("maxWait", options.maxWait, REQUEST_TIMEOUT_MS);
    const most = options.maxMessages === undefined
      ? 0 : checkCount("maxMessages", options.maxMessages, 1);
    checkText("subject", subject);
    throwIfAborted(options.signal);
    this.#refuseClosed();
    const block = headerBlock(options.headers);
    const cookie = this.#completions.newCookie();
    const release = hold(this);
    const replies = new Replies(options.signal, () => {
      this.#completions.remove(cookie);
      release();
    });
    const complete = (status: number, from: Block, at: number): boolean => {
      const flags = from.word(at, abi.DESCRIPTOR_FLAGS_OFFSET);
      if (status >= 0) replies.push(new Msg(from, at, this));
      if (status >= 0 && (flags & abi.FLAG_MORE_FOLLOWS) !== 0) return false;
      const isOver = status >= 0 || status === abi.ERR_TIMEOUT;
      replies.end(isOver ? undefined : requestFailure(status, subject, timeout));
      return true;
    };
    this.#completions.add(cookie, { complete, fail: (error) => replies.end(error) });
    try {
      await this.#requestStart(timeout, cookie, (left) => this.raw.requestManyStart(
        subject, payload, block, most, left, this.#queue, cookie));
    } catch (error) {
      replies.end(undefined);
      throw error;
    }
    return replies;
  }

  /** Sends everything and waits for the server's answer: what was published before has then been
   * processed. */
  async flush(options: WaitOptions = {}): Promise<void> {
    checkNames(options, WAIT_OPTIONS);
    const timeout = checkMilliseconds("timeout", options.timeout, FLUSH_TIMEOUT_MS);
    throwIfAborted(options.signal);
    this.#refuseClosed();
    let left = timeout;
    if (!this.#outbox.isEmpty) {
      const began = performance.now();
      await limited(this.ready(), timeout, options.signal, NO_ROOM);
      left = Math.max(Math.ceil(timeout - (performance.now() - began)), 0);
    }
    await this.#flush(left, options.signal);
  }

  /** The time to the server and back in ms. */
  async rtt(options: WaitOptions = {}): Promise<number> {
    checkNames(options, WAIT_OPTIONS);
    const timeout = checkMilliseconds("timeout", options.timeout, FLUSH_TIMEOUT_MS);
    throwIfAborted(options.signal);
    this.#refuseClosed();
    const began = performance.now();
    await this.#flush(timeout, options.signal);
    return performance.now() - began;
  }

  // --- the end ---

  /**
   * Ends in order: no new message comes; what came is handed to callbacks and read by iterations,
   * which may still publish; what was published is sent; then the connection is closed. Rejects
   * with TimeoutError when something was not read or sent in time; it is closed nevertheless. While
   * the connection is lost it rejects with DisconnectedError, and nothing has begun.
   */
  drain(options: WaitOptions = {}): Promise<void> {
    if (this.#isOver) return Promise.reject(new ConnectionClosedError("the connection is closed"));
    if (this.#drains !== undefined) return this.#drains;
    if (this.isReconnecting()) {
      return Promise.reject(new DisconnectedError("there is no connection to drain"));
    }
    let timeout: number;
    try {
      checkNames(options, WAIT_OPTIONS);
      timeout = checkMilliseconds("timeout", options.timeout, this.#drainTimeout);
      throwIfAborted(options.signal);
    } catch (error) {
      return Promise.reject(error);
    }
    this.#drains = this.#drain(timeout, options.signal);
    return this.#drains;
  }

  /** Closes at once: no callback is called any more; what came can still be iterated. May be called
   * twice. */
  async close(): Promise<void> {
    if (!this.#isOver) {
      this.raw.close();
      for (const subscription of this.#living()) subscription.stopCallback();
    }
    await this.#ended();
  }

  /** Ends when the connection is closed: with the reason if it was not closed by this program. */
  async closed(): Promise<void | Error> {
    await this.#ended();
    return this.#reason;
  }

  /** Sends what was published, then closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.raw.state() === abi.STATE_CONNECTED) await this.flush();
    } catch (error) {
      if (!(error instanceof MartletError)) throw error;
    }
    await this.close();
  }

  // --- what is ---

  /** Events since the call, as they come. */
  status(): AsyncIterableIterator<Status> {
    const stream = new StatusStream(() => hold(this), (ended) => this.#streams.delete(ended));
    if (this.#isOver) stream.end();
    else this.#streams.add(stream);
    return stream;
  }

  isClosed(): boolean {
    return this.raw.state() === abi.STATE_CLOSED;
  }

  /** It was lost, and is looked for. */
  isReconnecting(): boolean {
    return this.raw.state() === abi.STATE_RECONNECTING;
  }

  isDraining(): boolean {
    return (this.#isDraining || this.raw.state() === abi.STATE_DRAINING) && !this.isClosed();
  }

  /** The server that it is connected to, as host and port; "in-process" without a socket. */
  getServer(): string {
    const url = String(this.#facts()["connected_url"] ?? "");
    return this.#server !== undefined ? "in-process" : url.replace(/^\w+:\/\//, "");
  }

  /** What the server says of itself. */
  get info(): ServerInfo {
    const facts = this.#facts();
    return {
      server_id: String(facts["server_id"] ?? ""),
      server_name: String(facts["server_name"] ?? ""),
      version: String(facts["server_version"] ?? ""),
      client_id: Number(facts["client_id"] ?? 0),
      max_payload: this.#isOver ? this.#maxPayload : this.raw.maxPayload(),
    };
  }

  stats(): Stats {
    const facts = this.#facts();
    return {
      inMsgs: Number(facts["in_msgs"] ?? 0),
      outMsgs: Number(facts["out_msgs"] ?? 0),
      inBytes: Number(facts["in_bytes"] ?? 0),
      outBytes: Number(facts["out_bytes"] ?? 0),
      reconnects: Number(facts["reconnects"] ?? 0),
      subscriptions: Number(facts["subscriptions"] ?? 0),
    };
  }

  /** A subject that nobody else uses. */
  newInbox(): string {
    this.#refuseClosed();
    return this.raw.newInbox();
  }

  /** The process stays alive while it is open: how it begins. */
  ref(): this {
    if (!this.#isOver) this.raw.ref();
    return this;
  }

  /** The process may end while it is open. */
  unref(): this {
    this.raw.unref();
    return this;
  }

  /** What console.log shows. */
  [inspect.custom](_depth: number, options: InspectOptions): string {
    const shown = this.isClosed() ? { isClosed: true } : { server: this.getServer() };
    return `NatsConnection ${inspect(shown, options)}`;
  }

  // --- what its subscriptions tell ---

  /** @internal */
  onSubscriptionEnd(subscription: Subscription): void {
    this.#subscriptions.delete(subscription.cookie);
    forgotten.unregister(subscription);
  }

  /** @internal */
  onSlowConsumer(sub: Subscription | undefined, message: string): void {
    this.#tell({ type: "slowConsumer", sub, message });
  }

  /** @internal A callback of the program threw. */
  onCallbackError(thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    if (this.#streams.size > 0) this.#tell({ type: "error", error });
    else process.emitWarning(error);
  }

  // --- sending ---

  #refuseClosed(): void {
    if (this.#isOver) throw new ConnectionClosedError("the connection is closed");
    if (this.#isDraining) throw new DrainingError("the connection drains");
  }

  #publishTo(
    subject: string, payload: Payload, reply: string | undefined,
    block: string | undefined): number {
    const status = this.#publish(payload, subject, reply, block);
    this.#lastSubject = subject;
    return status;
  }

  #publishLater(subject: string, payload: Payload, options: PublishOptions | undefined): boolean {
    if (this.#isOver) throw new ConnectionClosedError("the connection is closed");
    checkText("subject", subject);
    if (options?.reply !== undefined) checkText("reply", options.reply);
    this.#outbox.add(subject, payload, options?.reply, headerBlock(options?.headers));
    return false;
  }

  /** Waits until the outgoing buffer has room for so many bytes, or is empty. */
  #room(bytes: number): Promise<void> {
    return this.#completions.expect<void>(undefined, () => undefined, (cookie) => {
      this.raw.notifyCapacity(bytes, this.#queue, cookie);
    });
  }

  #flush(timeout: number, signal: AbortSignal | undefined): Promise<void> {
    return this.#completions.expect<void>(signal, () => undefined, (cookie) => {
      this.raw.flushStart(timeout, this.#queue, cookie);
    });
  }

  /** Starts a request; waits while there is no room for it. */
  #requestStart(
    timeout: number, cookie: number, start: (left: number) => number): void | Promise<void> {
    if (this.#outbox.isEmpty && start(timeout) === abi.OK) return undefined;
    return this.#requestLater(timeout, cookie, start);
  }

  async #requestLater(
    timeout: number, cookie: number, start: (left: number) => number): Promise<void> {
    const began = performance.now();
    const left = (): number => Math.max(Math.ceil(timeout - (performance.now() - began)), 0);
    for (;;) {
      await limited(this.ready(), left(), undefined, NO_ROOM);
      if (!this.#completions.has(cookie)) return; // Nobody waits any more.
      if (start(left()) === abi.OK) return;
      await limited(this.#room(REQUEST_ROOM_BYTES), left(), undefined, NO_ROOM);
    }
  }

  // --- what comes ---

  /** Reads what the library has to tell; lets others have their turn after a while. */
  #dispatch(): void {
    this.#goesOn = false;
    let left = LOOK_EVERY;
    while (!this.#goesOn) {
      const block = (this.#block ??= this.#read());
      if (block === undefined) return;
      const at = block.at;
      block.at += block.stride;
      if (block.at >= block.end) this.#block = undefined;
      this.#handle(block, at);
      if (--left > 0) continue;
      left = LOOK_EVERY;
      if (isTurnOver()) this.#goOnLater();
    }
  }

  #goOnLater(): void {
    this.#goesOn = true;
    goOnLater(() => this.#dispatch());
  }

  #read(): Block | undefined {
    if (this.#isOver) return undefined;
    const got = poll(this.#queue, MESSAGES_MAX);
    return typeof got === "number" ? undefined : got;
  }

  #handle(block: Block, at: number): void {
    const kind = block.word(at, abi.DESCRIPTOR_KIND_OFFSET);
    if (kind <= abi.KIND_CAPACITY) this.#completions.complete(block, at);
    else this.#onEvent(kind, block, at);
  }

  #onEvent(kind: number, block: Block, at: number): void {
    const status = block.word(at, abi.DESCRIPTOR_STATUS_OFFSET);
    const text = block.text(at, abi.DESCRIPTOR_DATA_OFFSET_OFFSET);
    const error = status < 0 ? { error: errorOf(status, text) } : {};
    switch (kind) {
      case abi.KIND_CONNECTED:
        this.#onOpened(undefined);
        this.#goOnLater(); // Who has waited for it can ask for the events that follow.
        break;
      case abi.KIND_DISCONNECTED:
        this.#tell({ type: "disconnect", server: this.getServer(), ...error });
        break;
      case abi.KIND_RECONNECTING:
        this.#tell({ type: "reconnecting", server: text });
        break;
      case abi.KIND_RECONNECTED:
        this.#tell({ type: "reconnect", server: text });
        break;
      case abi.KIND_DISCOVERED_SERVERS:
        this.#tell({ type: "update", added: JSON.parse(text) as string[] });
        break;
      case abi.KIND_LAME_DUCK:
        this.#tell({ type: "ldm", server: this.getServer() });
        break;
      case abi.KIND_SLOW_CONSUMER:
        this.onSlowConsumer(undefined, text);
        break;
      case abi.KIND_ERROR:
        this.#tell({ type: "error", error: errorOf(status, text) });
        break;
      case abi.KIND_CLOSED:
        this.#onOver(status, text);
        break;
    }
  }

  #tell(event: Status): void {
    for (const stream of this.#streams) stream.push(event);
  }

  // --- the end ---

  #ended(): Promise<void> {
    if (this.#isOver) return this.#closed;
    return this.#closed.finally(hold(this));
  }

  #living(): Subscription[] {
    const all = [...this.#subscriptions.values()].map((weak) => weak.deref());
    return all.filter((one) => one !== undefined);
  }

  async #drain(timeout: number, signal: AbortSignal | undefined): Promise<void> {
    const began = performance.now();
    const left = (): number => Math.max(Math.ceil(timeout - (performance.now() - began)), 0);
    const abortEnd = whenAborted(signal, () => this.raw.close());
    try {
      await this.#drainInOrder(left);
      await this.#ended();
    } catch (error) {
      this.raw.close();
      throw signal?.aborted ? signal.reason : error;
    } finally {
      abortEnd();
    }
    signal?.throwIfAborted();
    if (this.#reason !== undefined) throw this.#reason;
  }

  async #drainInOrder(left: () => number): Promise<void> {
    const subscriptions = this.#living();
    for (const one of subscriptions) if (!one.isClosed()) one.beginDrain();
    this.#isDraining = true;
    await this.#settle(subscriptions, left);
    await limited(this.ready(), left(), undefined, NO_ROOM);
    if (!this.#isOver) this.raw.drainStart(left());
  }

  /** Waits until what came has been handed out, and, for a while, until nobody is busy with it. */
  async #settle(subscriptions: Subscription[], left: () => number): Promise<void> {
    if (this.raw.state() === abi.STATE_CONNECTED) await this.#flush(left(), undefined);
    const pause = (): Promise<void> => new Promise((end) => setTimeout(end, DRAIN_POLL_MS));
    const isUnread = (): boolean => subscriptions.some((one) => one.unread > 0);
    while (!this.#isOver && left() > 0 && isUnread()) await pause();
    const until = Math.max(left() - DRAIN_BODIES_MS, 0);
    const isBusy = (): boolean => subscriptions.some((one) => one.isBusy);
    while (!this.#isOver && left() > until && isBusy()) await pause();
  }

  #onOver(status: number, text: string): void {
    const reason = status < 0 ? errorOf(status, text) : undefined;
    this.#reason = reason;
    this.#statistics = this.#facts();
    this.#maxPayload = this.raw.maxPayload();
    this.#isOver = true;
    this.raw.free();
    const closed = new ConnectionClosedError("the connection was closed");
    for (const subscription of this.#living()) subscription.onConnectionClosed();
    this.#completions.failAll(reason ?? closed);
    this.#tell(reason === undefined ? { type: "close" } : { type: "close", error: reason });
    for (const stream of this.#streams) stream.end();
    this.#streams.clear();
    this.#onOpened(reason ?? closed);
    this.#onClosed();
    setImmediate(() => this.#queue.free());
  }

  #facts(): Record<string, unknown> {
    if (this.#isOver) return this.#statistics;
    return JSON.parse(this.raw.statistics()) as Record<string, unknown>;
  }
}
