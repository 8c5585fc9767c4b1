// SPDX-License-Identifier: Apache-2.0
//
// Owns the addon: where it is found, and what it offers – the functions of the C ABI, one class for
// each noun. What blocks in C gives a promise here. Everything else of the package stands on this.
import * as path from "node:path";
import { ABI_MAJOR, ABI_MINOR } from "./constants";
import { errorOf, NativeLoadError } from "./errors";
import { damageOf } from "./native_file";

/** Bytes that are given to be sent. */
export type Bytes = string | NodeJS.ArrayBufferView | ArrayBuffer | null | undefined;

export interface RawQueue {
  poll(messagesMax: number, info: Int32Array): ArrayBuffer | number;
  pollInto(memory: Uint8Array, offset: number, messagesMax: number, info: Int32Array): number;
  setWake(wake: (() => void) | null): void;
  descriptor(): number;
  notifyReady(target: RawQueue, cookie: number): void;
  close(): void;
  free(): void;
}

export interface RawServer {
  setLog(queue: RawQueue | null, cookie: number, levelMax: number): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  clientPort(): number;
  monitoringPort(): number;
  url(): string;
  statistics(): string;
  ref(): void;
  unref(): void;
  free(): void;
}

/** Publishes over the connection that it came from: OK or AGAIN. With `data` alone the message has
 * the subject of the last one that was taken. */
export interface RawPublish {
  (data: Bytes): number;
  (data: Bytes, subject: string, reply?: string, headers?: Bytes): number;
}

export interface RawConnection {
  start(): void;
  /** The event loop reads its socket from now on; see `canLead`. */
  lead(): void;
  connect(timeoutMs: number): Promise<number>;
  state(): number;
  publisher(): RawPublish;
  waitCapacity(messageBytes: number, timeoutMs: number): Promise<number>;
  notifyCapacity(messageBytes: number, queue: RawQueue, cookie: number): void;
  flush(timeoutMs: number): Promise<number>;
  flushStart(timeoutMs: number, queue: RawQueue, cookie: number): void;
  request(subject: string, data: Bytes, headers: Bytes, timeoutMs: number): Promise<ArrayBuffer>;
  requestStart(
    subject: string, data: Bytes, headers: Bytes, timeoutMs: number, queue: RawQueue,
    cookie: number): number;
  requestManyStart(
    subject: string, data: Bytes, headers: Bytes, repliesMax: number, timeoutMs: number,
    queue: RawQueue, cookie: number): number;
  newInbox(): string;
  drain(timeoutMs: number): Promise<number>;
  drainStart(timeoutMs: number): void;
  close(): void;
  maxPayload(): number;
  rtt(timeoutMs: number): Promise<number>;
  statistics(): string;
  descriptor(): number;
  process(): number;
  nextTimeout(): number;
  ref(): void;
  unref(): void;
  free(): void;
}

export interface RawSubscription {
  unsubscribe(): void;
  autoUnsubscribe(messagesMax: number): void;
  drain(): void;
  /** Messages and bytes. */
  pending(): [number, number];
  /** Dropped and delivered messages. */
  dropped(): [number, number];
  free(): void;
}

export interface RawModule {
  Queue: new (options: string) => RawQueue;
  Server: new (options: string) => RawServer;
  Connection: new (
    options: string, server: RawServer | null, events: RawQueue | null,
    cookie: number) => RawConnection;
  Subscription: new (
    connection: RawConnection, subject: string, group: string, options: string, queue: RawQueue,
    cookie: number) => RawSubscription;
  setErrorMaker(make: (status: number, text: string) => Error): void;
  /** Makes what callbacks run in. To be called once, when the package is loaded, where the loop is
   * libuv's. */
  prepareToLead(): void;
  /** Whether the event loop can read the sockets of connections that are lent to it. Only to be
   * asked where the loop is libuv's. */
  canLead(): boolean;
  /** Who reads the sockets of such connections at this moment: the event loop, or the thread beside
   * it. */
  leader(): "loop" | "thread";
  statusName(status: number): string;
  /** Which C functions are called, and by what in here; and what stands for those that are not. */
  cFunctions(): Record<string, string[]>;
  cFunctionsReplaced(): Record<string, { raw: string[]; through: string[] }>;
  abiVersion(): number;
  versionText(): string;
  linkedVersions(): string;
}

const platform = `${process.platform}-${process.arch}`;

/** The addon of the package for this platform, or of this checkout; or what the variable names. */
function addonFile(): string {
  const named = process.env["MARTLET_NODE_ADDON"];
  if (named !== undefined && named !== "") return path.resolve(named);
  try {
    return require.resolve(`@martlet/${platform}/martlet.node`);
  } catch {
    return path.join(__dirname, "martlet.node");
  }
}

function load(): RawModule {
  const file = addonFile();
  let loaded: RawModule;
  try {
    const damage = damageOf(file);
    if (damage !== "") throw new Error(damage);
    loaded = require(file) as RawModule;
  } catch (cause) {
    const why = cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : String(cause);
    throw new NativeLoadError(
      `the native part for ${platform} could not be loaded from ${file} ` +
        `(the package @martlet/${platform} brings it): ${why}`, { cause });
  }
  const version = typeof loaded.abiVersion === "function" ? loaded.abiVersion() : -1;
  if (Math.floor(version / 1000) !== ABI_MAJOR || version % 1000 < ABI_MINOR) {
    throw new NativeLoadError(
      `${file} has version ${version} of the C ABI, this package needs ` +
        `${ABI_MAJOR * 1000 + ABI_MINOR}`);
  }
  loaded.setErrorMaker(errorOf);
  return loaded;
}

export const raw: RawModule = load();
