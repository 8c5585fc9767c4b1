// SPDX-License-Identifier: Apache-2.0
//
// Owns `connect`: what it may be given, and what becomes of it.
import { NatsConnection } from "./connection";
import { InvalidArgumentError, OptionsError } from "./errors";
import { checkCount, throwIfAborted } from "./message";
import { checkObject, CONNECTION, toJson } from "./options";
import type { ConnectionOptions } from "./options";
import { raw } from "./raw";
import { Server } from "./server";

const DRAIN_TIMEOUT_MS = 30_000;
const WAITING_BYTES_MAX = 128 * 1024 * 1024;

/** Bun has libuv's functions, and ends the process when one is called. */
const hasLibuv = process.versions["bun"] === undefined && process.versions["deno"] === undefined &&
  process.versions["electron"] === undefined && process.versions.uv !== undefined;
if (hasLibuv) raw.prepareToLead();

/** Whether the event loop reads the connection's socket, or a thread of the connection's own does,
 * which alone can look for work without sleeping. */
function isLed(options: ConnectionOptions): boolean {
  return hasLibuv && !options.spinMicroseconds && raw.canLead();
}

interface Wanted {
  server: Server | undefined;
  servers: string | string[] | undefined;
  options: ConnectionOptions;
}

function wanted(target: unknown, options: unknown): Wanted {
  const given = checkObject("options", options) as ConnectionOptions;
  if (target instanceof Server) return { server: target, servers: undefined, options: given };
  if (typeof target === "string" || Array.isArray(target)) {
    return { server: undefined, servers: target as string | string[], options: given };
  }
  if (target !== undefined && (typeof target !== "object" || target === null)) {
    throw new InvalidArgumentError("connect takes a URL, several, a Server, or options");
  }
  const both = { ...(target as ConnectionOptions | undefined), ...given };
  return { server: undefined, servers: both.servers, options: both };
}

/**
 * Connects to a broker: by URL, or, given a `Server` of this process, without a socket.
 *
 * Rejects with NoServersError, AuthorizationError, TimeoutError, OptionsError, or the reason of the
 * signal.
 */
export function connect(options?: ConnectionOptions): Promise<NatsConnection>;
export function connect(
  target: string | string[] | Server, options?: ConnectionOptions): Promise<NatsConnection>;
export async function connect(target?: unknown, options?: unknown): Promise<NatsConnection> {
  const { server, servers, options: given } = wanted(target, options);
  const { signal, maxWaitingBytes = WAITING_BYTES_MAX, ...others } = given;
  if (server !== undefined && others.servers !== undefined) {
    throw new OptionsError('option "servers" is not for a connection inside the process');
  }
  checkCount("maxWaitingBytes", maxWaitingBytes, 0);
  throwIfAborted(signal);
  if (servers !== undefined) others.servers = servers;
  const led = isLed(others);
  const json = toJson(CONNECTION, others, led ? { run: "lent", gather: true } : {});
  const drainTimeout = others.drainTimeout ?? DRAIN_TIMEOUT_MS;
  const connection = new NatsConnection(json, server, drainTimeout, maxWaitingBytes);
  await connection.open(led, signal);
  return connection;
}
