// SPDX-License-Identifier: Apache-2.0
//
// Owns the options as a program gives them, in the words of nats.js where it has one, and their way
// into the JSON options of the C ABI.
import { InvalidArgumentError, OptionsError } from "./errors";
import type { MsgHdrs } from "./headers";
import { checkWellFormed } from "./text";

export type Policy =
  | "block_reader"
  | "refuse_new"
  | "drop_oldest"
  | "keep_latest_of_each_subject";

/** Options of a connection. Times are in ms. What is left out has its default. */
export interface ConnectionOptions {
  /** URLs; nats://127.0.0.1:4222 by default. */
  servers?: string | string[];
  /** What the server's monitoring shows. */
  name?: string;
  user?: string;
  pass?: string;
  token?: string;
  /** For one attempt, until the server has accepted us (2,000). */
  timeout?: number;
  reconnect?: boolean;
  /** For each server, in a row (60); -1: no limit. */
  maxReconnectAttempts?: number;
  /** Before each further round through the servers (2,000). */
  reconnectTimeWait?: number;
  /** At most this much is added to it (100). */
  reconnectJitter?: number;
  /** The first connect goes on as a reconnect would. */
  waitOnFirstConnect?: boolean;
  /** Between pings to the server (120,000); 0: none. */
  pingInterval?: number;
  /** Unanswered pings after which the connection is stale (2). */
  maxPingOut?: number;
  /** What this connection publishes does not come back to it. */
  noEcho?: boolean;
  /** The servers are tried in their order. */
  noRandomize?: boolean;
  /** The pool never grows. */
  ignoreClusterUpdates?: boolean;
  inboxPrefix?: string;
  pedantic?: boolean;
  verbose?: boolean;
  /** After which a drain ends by closing (30,000). */
  drainTimeout?: number;
  /** Bytes published and not written yet at which the outgoing buffer is full (16 MiB). */
  maxPendingBytes?: number;
  /** Bytes that are kept for later once it is full (128 MiB); then publish throws. */
  maxWaitingBytes?: number;
  /** Bytes published while the connection is lost (8 MiB); 0: nothing is taken. */
  reconnectBufferBytes?: number;
  /** Requests under way at once (65,536). */
  maxRequests?: number;
  /** How long, in µs, the connection's thread looks for work before it sleeps (0): a core for the
   * time of a wake-up. */
  spinMicroseconds?: number;
  /** Ends the connecting. */
  signal?: AbortSignal;
}

/** Options of a broker. Times are in ms. What is left out has its default. */
export interface ServerOptions {
  /** 0 (the default): any free one. */
  port?: number;
  /** The address to listen on (127.0.0.1). */
  host?: string;
  /** False: no port at all, only connections of this process. */
  listen?: boolean;
  /** Without spaces; the server's id by default. */
  name?: string;
  user?: string;
  pass?: string;
  token?: string;
  /** The port of the monitoring pages, 0: any free one; none by default. */
  httpPort?: number;
  httpHost?: string;
  /** Threads that serve clients (1). */
  loops?: number;
  /** How long, in µs, such a thread looks for work before it sleeps (0). */
  spinMicroseconds?: number;
  maxConnections?: number;
  maxControlLine?: number;
  maxMemory?: number;
  maxPayload?: number;
  maxPending?: number;
  maxSubscriptions?: number;
  pingInterval?: number;
  pingMax?: number;
  writeDeadline?: number;
  /** The log has lines of that level too. */
  debug?: boolean;
  trace?: boolean;
  /** Configuration text in the language of NATS, instead of the other options. */
  config?: string;
  /** Gets each log line, on the event loop; without it the broker is silent. */
  log?: (level: LogLevel, line: string) => void;
  /** The least important level that is sent there ("info"). */
  logLevel?: LogLevel;
}

/** Most important first, as the library counts them. */
export const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Bounds of one subscription. */
export interface Bounds {
  /** Messages that may wait unread (524,288); 0: no bound. */
  maxPendingMessages?: number;
  /** Their bytes (128 MiB); 0: no bound. */
  maxPendingBytes?: number;
  /** What happens to a message at the bound ("refuse_new"). */
  policy?: Policy;
}

export interface RequestOptions {
  /** ms until it is given up (1,000). */
  timeout?: number;
  headers?: MsgHdrs;
  signal?: AbortSignal;
}

export interface RequestManyOptions {
  /** ms until no more answers are waited for (1,000). */
  maxWait?: number;
  /** Ends after so many answers. */
  maxMessages?: number;
  headers?: MsgHdrs;
  signal?: AbortSignal;
}

export interface WaitOptions {
  /** ms; `flush` and `rtt`: 10,000, `drain`: the option drainTimeout. */
  timeout?: number;
  signal?: AbortSignal;
}

/** The library's name of an option, and whether it says the opposite. */
type Key = string | { not: string };
type Table = Readonly<Record<string, Key>>;

export const CONNECTION: Table = {
  servers: "servers",
  name: "name",
  user: "user",
  pass: "password",
  token: "token",
  timeout: "connect_timeout_ms",
  reconnect: "reconnect",
  maxReconnectAttempts: "reconnect_attempts_max",
  reconnectTimeWait: "reconnect_wait_ms",
  reconnectJitter: "reconnect_jitter_ms",
  waitOnFirstConnect: "retry_on_first_connect",
  pingInterval: "ping_interval_ms",
  maxPingOut: "pings_out_max",
  noEcho: { not: "echo" },
  noRandomize: { not: "randomize_servers" },
  ignoreClusterUpdates: "ignore_discovered_servers",
  inboxPrefix: "inbox_prefix",
  pedantic: "pedantic",
  verbose: "verbose",
  drainTimeout: "drain_timeout_ms",
  maxPendingBytes: "pending_bytes_max",
  reconnectBufferBytes: "reconnect_buffer_bytes_max",
  maxRequests: "requests_max",
  spinMicroseconds: "spin_us",
};

export const SERVER: Table = {
  port: "port",
  host: "host",
  listen: "listen",
  name: "server_name",
  user: "user",
  pass: "password",
  token: "token",
  httpPort: "http_port",
  httpHost: "http_host",
  loops: "loops",
  spinMicroseconds: "spin_us",
  maxConnections: "max_connections",
  maxControlLine: "max_control_line",
  maxMemory: "max_memory",
  maxPayload: "max_payload",
  maxPending: "max_pending",
  maxSubscriptions: "max_subscriptions",
  pingInterval: "ping_interval_ms",
  pingMax: "ping_max",
  writeDeadline: "write_deadline_ms",
  debug: "debug",
  trace: "trace",
};

const SUBSCRIPTION: Table = {
  maxPendingMessages: "messages_max",
  maxPendingBytes: "bytes_max",
  policy: "full_policy",
};

const PENDING_MESSAGES = 512 * 1024;
const PENDING_BYTES = 128 * 1024 * 1024;

/** For the queues under the subscriptions, whose own bounds are what counts. */
export const OPEN_QUEUE = JSON.stringify({ messages_max: 2 ** 53 - 1, bytes_max: 2 ** 53 - 1 });

export function checkObject(what: string, value: unknown): Record<string, unknown> {
  if (value === undefined) return {};
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new InvalidArgumentError(`${what} must be an object`);
  }
  return value as Record<string, unknown>;
}

export const REQUEST_OPTIONS = ["timeout", "headers", "signal"];
export const REQUEST_MANY_OPTIONS = ["maxWait", "maxMessages", "headers", "signal"];
export const WAIT_OPTIONS = ["timeout", "signal"];

function unknownOption(name: string): OptionsError {
  return new OptionsError(`there is no option ${JSON.stringify(name)}`);
}

/** Refuses what a call has no option for. */
export function checkNames(options: unknown, known: readonly string[]): void {
  for (const name of Object.keys(checkObject("options", options))) {
    if (!known.includes(name)) throw unknownOption(name);
  }
}

/** The JSON text for what was given; undefined means the default. */
export function toJson(table: Table, given: object, fixed: object = {}): string {
  const out: Record<string, unknown> = { ...fixed };
  for (const [name, value] of Object.entries(given)) {
    const key = Object.hasOwn(table, name) ? table[name] : undefined;
    if (key === undefined) throw unknownOption(name);
    if (value === undefined) continue;
    if (typeof key === "string") {
      out[key] = checkValue(name, value);
    } else {
      if (typeof value !== "boolean") throw new OptionsError(`option "${name}": not true or false`);
      out[key.not] = !value;
    }
  }
  return JSON.stringify(out);
}

function checkValue(name: string, value: unknown): unknown {
  const isTexts = Array.isArray(value) && value.every((text) => typeof text === "string");
  if (typeof value === "number" ? Number.isFinite(value) : isTexts || isPlain(value)) {
    // JSON could say half a surrogate pair by its number.
    for (const text of [value].flat()) {
      if (typeof text === "string") checkWellFormed(`option "${name}"`, text);
    }
    return value;
  }
  throw new OptionsError(`option "${name}" has a value that cannot be`);
}

function isPlain(value: unknown): boolean {
  return typeof value === "string" || typeof value === "boolean";
}

/** Lets the library name an option as it was given. */
export function namedAsGiven<T>(table: Table, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error;
    const told = /^option "(\w+)": /.exec(error.message);
    for (const [name, key] of Object.entries(table)) {
      if (told !== null && (typeof key === "string" ? key : key.not) === told[1]) {
        throw new OptionsError(`option "${name}": ${error.message.slice(told[0].length)}`);
      }
    }
    throw error;
  }
}

export function subscriptionJson(bounds: Bounds): string {
  const given = Object.entries(bounds).filter(([, value]) => value !== undefined);
  return toJson(SUBSCRIPTION, {
    maxPendingMessages: PENDING_MESSAGES, maxPendingBytes: PENDING_BYTES, policy: "refuse_new",
    ...Object.fromEntries(given),
  });
}

export function named<T>(call: () => T): T {
  return namedAsGiven(SUBSCRIPTION, call);
}
