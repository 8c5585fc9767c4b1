// SPDX-License-Identifier: Apache-2.0
//
// Owns how payloads, messages, failures and options of the npm package are written in a transcript
// and in a scenario (tests/parity/README.md).
import { headers, MartletError } from "martlet";

export const DEFAULT_MS = 10_000;

/** A failure of the scenario's own callback. */
export class Thrown extends Error {}

const CONNECTION_NAMES = {
  password: "pass",
  connect_timeout_ms: "timeout",
  reconnect_attempts_max: "maxReconnectAttempts",
  reconnect_wait_ms: "reconnectTimeWait",
  retry_on_first_connect: "waitOnFirstConnect",
  pings_out_max: "maxPingOut",
  pending_bytes_max: "maxPendingBytes",
  reconnect_buffer_bytes_max: "reconnectBufferBytes",
  requests_max: "maxRequests",
  ignore_discovered_servers: "ignoreClusterUpdates",
};
const OPPOSITES = { echo: "noEcho", randomize_servers: "noRandomize" };
const SERVER_NAMES = { server_name: "name", password: "pass" };
const SUBSCRIPTION_NAMES = {
  messages_max: "maxPendingMessages", bytes_max: "maxPendingBytes", full_policy: "policy",
};

/** ping_interval_ms -> pingInterval */
function camelCase(key) {
  return key.replace(/_ms$/, "").replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
}

function renamed(options, names) {
  return Object.fromEntries(Object.entries(options ?? {}).map(([key, value]) =>
    key in OPPOSITES ? [OPPOSITES[key], !value] : [names[key] ?? camelCase(key), value]));
}

export const connectionOptions = (step) => renamed(step.options, CONNECTION_NAMES);

export const serverOptions = (step) => step.config !== undefined
  ? { config: step.config }
  : { listen: false, ...renamed(step.options, SERVER_NAMES) };

export function subscribeOptions(step) {
  const options = renamed(step.options, SUBSCRIPTION_NAMES);
  if (step.queue !== undefined) options.queue = step.queue;
  if (step.max_messages !== undefined) options.max = step.max_messages;
  return options;
}

export const timeoutOf = (step) => step.timeout_ms ?? DEFAULT_MS;

export function payloadOf(step, message, number = 0) {
  if (step.size !== undefined) {
    return Buffer.from(Array.from({ length: step.size }, (_, i) => 97 + (i % 26)));
  }
  if (step.hex !== undefined) return Buffer.from(step.hex, "hex");
  const parts = (step.data ?? "").replaceAll("{n}", String(number)).split("{data}");
  if (message === undefined) return Buffer.from(parts.join("{data}"));
  const bytes = parts.flatMap((part, i) => i === 0 ? [part] : [message.data, part]);
  return Buffer.concat(bytes.map((part) => Buffer.from(part)));
}

export function headersOf(step) {
  if (step.headers === undefined) return undefined;
  const made = headers();
  for (const [name, values] of Object.entries(step.headers)) {
    for (const value of values) made.append(name, value);
  }
  return made;
}

export function fnvText(bytes) {
  let value = 0x811c9dc5;
  for (const byte of bytes) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value.toString(16).padStart(8, "0");
}

const withoutInbox = (subject) => (subject.startsWith("_INBOX.") ? "_INBOX" : subject);

/** What a transcript shows of a message. */
export function shown(message) {
  const out = { subject: withoutInbox(message.subject) };
  if (message.reply !== undefined) out.reply = withoutInbox(message.reply);
  const { data, headers: block } = message;
  const entries = block === undefined ? [] : [...block];
  if (entries.length > 0) out.headers = Object.fromEntries(entries);
  if (block?.code > 0) out.status = block.code;
  const isPlain = data.length <= 64 && data.every((byte) => byte >= 0x20 && byte <= 0x7e);
  out.data = isPlain ? data.toString() : `${data.length} bytes, fnv ${fnvText(data)}`;
  return out;
}

/** What a failure is called. */
export function statusOf(error) {
  if (error instanceof Thrown) return "thrown";
  if (error instanceof MartletError) return error.code;
  return `EXCEPTION ${error?.name}: ${error?.message}`;
}

export function stateOf(connection) {
  if (connection.isClosed()) return "closed";
  if (connection.isDraining()) return "draining";
  return connection.isReconnecting() ? "reconnecting" : "connected";
}

const byCodePoint = (one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other));

/** What `next` with a count gives; `payloads` are those of the messages. */
export function gathered(step, given, payloads) {
  if (step.digest) {
    if (typeof given.at(-1) === "string") return given.at(-1);
    const together = payloads.flatMap((payload) => [payload, Buffer.from("\n")]);
    return { count: given.length, fnv: fnvText(Buffer.concat(together)) };
  }
  const textOf = (one) => (typeof one === "string" ? "" : one.data);
  return step.sorted ? given.sort((a, b) => byCodePoint(textOf(a), textOf(b))) : given;
}
