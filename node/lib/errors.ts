// SPDX-License-Identifier: Apache-2.0
//
// Owns the errors of the package: one class for each status of the C ABI, and those of its own.
import * as constants from "./constants";

/** Whatever Martlet refuses or fails at. `code` is the name of the status, such as
 * "ERR_TIMEOUT". */
export class MartletError extends Error {
  /** The number of the C ABI. */
  readonly status: number = constants.ERR_INTERNAL;
  readonly code: string = "ERR_INTERNAL";

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A value that cannot be: the text names the argument. */
export class InvalidArgumentError extends MartletError {
  override readonly status = constants.ERR_INVALID_ARGUMENT;
  override readonly code = "ERR_INVALID_ARGUMENT";
}

/** An object that is not alive. */
export class InvalidHandleError extends MartletError {
  override readonly status = constants.ERR_INVALID_HANDLE;
  override readonly code = "ERR_INVALID_HANDLE";
}

/** An allocation failed, or `maxMemory` of the server is reached. */
export class NoMemoryError extends MartletError {
  override readonly status = constants.ERR_NO_MEMORY;
  override readonly code = "ERR_NO_MEMORY";
}

/** An option is unknown or has a wrong value: the text names it. */
export class OptionsError extends MartletError {
  override readonly status = constants.ERR_OPTIONS;
  override readonly code = "ERR_OPTIONS";
}

/** A subject that the rules of NATS refuse. */
export class BadSubjectError extends MartletError {
  override readonly status = constants.ERR_SUBJECT;
  override readonly code = "ERR_SUBJECT";
}

/** Payload and headers are above the server's `max_payload`. */
export class MaxPayloadError extends MartletError {
  override readonly status = constants.ERR_MAX_PAYLOAD;
  override readonly code = "ERR_MAX_PAYLOAD";
}

/** A bound is reached: the text names it. */
export class LimitError extends MartletError {
  override readonly status = constants.ERR_LIMIT;
  override readonly code = "ERR_LIMIT";
}

/** The time given has passed. */
export class TimeoutError extends MartletError {
  override readonly status = constants.ERR_TIMEOUT;
  override readonly code = "ERR_TIMEOUT";
}

/** The connection, or the subscription, is closed. */
export class ConnectionClosedError extends MartletError {
  override readonly status = constants.ERR_CLOSED;
  override readonly code = "ERR_CLOSED";
}

/** The connection or subscription drains: nothing new is taken. */
export class DrainingError extends MartletError {
  override readonly status = constants.ERR_DRAINING;
  override readonly code = "ERR_DRAINING";
}

/** There is no connection at the moment, and the reconnect buffer takes nothing. */
export class DisconnectedError extends MartletError {
  override readonly status = constants.ERR_DISCONNECTED;
  override readonly code = "ERR_DISCONNECTED";
}

/** No server could be reached. */
export class NoServersError extends MartletError {
  override readonly status = constants.ERR_NO_SERVERS;
  override readonly code = "ERR_NO_SERVERS";
}

/** A request that nobody listens to. */
export class NoRespondersError extends MartletError {
  override readonly status = constants.ERR_NO_RESPONDERS;
  override readonly code = "ERR_NO_RESPONDERS";
}

/** The server refused the credentials. */
export class AuthorizationError extends MartletError {
  override readonly status = constants.ERR_AUTHORIZATION;
  override readonly code = "ERR_AUTHORIZATION";
}

/** The server refused a publish or a subscription. */
export class PermissionsError extends MartletError {
  override readonly status = constants.ERR_PERMISSIONS;
  override readonly code = "ERR_PERMISSIONS";
}

/** The other side did not answer pings. */
export class StaleConnectionError extends MartletError {
  override readonly status = constants.ERR_STALE_CONNECTION;
  override readonly code = "ERR_STALE_CONNECTION";
}

/** The other side spoke something that is not the protocol. */
export class ProtocolError extends MartletError {
  override readonly status = constants.ERR_PROTOCOL;
  override readonly code = "ERR_PROTOCOL";
}

/** A subscription fell behind its bound and lost messages. */
export class SlowConsumerError extends MartletError {
  override readonly status = constants.ERR_SLOW_CONSUMER;
  override readonly code = "ERR_SLOW_CONSUMER";
}

/** A port is taken. */
export class AddressInUseError extends MartletError {
  override readonly status = constants.ERR_ADDRESS_IN_USE;
  override readonly code = "ERR_ADDRESS_IN_USE";
}

/** The system refused something: the text names what. */
export class SystemIOError extends MartletError {
  override readonly status = constants.ERR_IO;
  override readonly code = "ERR_IO";
}

/** Known, but not available here. */
export class UnsupportedError extends MartletError {
  override readonly status = constants.ERR_UNSUPPORTED;
  override readonly code = "ERR_UNSUPPORTED";
}

/** The object belongs to the parent process; the copy in a forked child is inert. */
export class ForkedError extends MartletError {
  override readonly status = constants.ERR_FORKED;
  override readonly code = "ERR_FORKED";
}

/** A case that should not exist: please report it. */
export class InternalError extends MartletError {
  override readonly status = constants.ERR_INTERNAL;
  override readonly code = "ERR_INTERNAL";
}

/** Not possible in the object's present state: started twice, not started, iterated twice. */
export class StateError extends MartletError {
  override readonly status = constants.ERR_STATE;
  override readonly code = "ERR_STATE";
}

/** A call that would wait for itself. */
export class InCallbackError extends MartletError {
  override readonly status = constants.ERR_IN_CALLBACK;
  override readonly code = "ERR_IN_CALLBACK";
}

/** A buffer holds not even the first message. */
export class BufferTooSmallError extends MartletError {
  override readonly status = constants.ERR_BUFFER_TOO_SMALL;
  override readonly code = "ERR_BUFFER_TOO_SMALL";
}

/** The native part is missing, damaged or of another version: the text names the file. */
export class NativeLoadError extends MartletError {
  override readonly status = constants.ERR_UNSUPPORTED;
  override readonly code: string = "ERR_NATIVE_LOAD";
}

type ErrorClass = new (message: string, options?: ErrorOptions) => MartletError;

const byStatus = new Map<number, ErrorClass>([
  [constants.ERR_INVALID_ARGUMENT, InvalidArgumentError],
  [constants.ERR_INVALID_HANDLE, InvalidHandleError],
  [constants.ERR_NO_MEMORY, NoMemoryError],
  [constants.ERR_OPTIONS, OptionsError],
  [constants.ERR_SUBJECT, BadSubjectError],
  [constants.ERR_MAX_PAYLOAD, MaxPayloadError],
  [constants.ERR_LIMIT, LimitError],
  [constants.ERR_TIMEOUT, TimeoutError],
  [constants.ERR_CLOSED, ConnectionClosedError],
  [constants.ERR_DRAINING, DrainingError],
  [constants.ERR_DISCONNECTED, DisconnectedError],
  [constants.ERR_NO_SERVERS, NoServersError],
  [constants.ERR_NO_RESPONDERS, NoRespondersError],
  [constants.ERR_AUTHORIZATION, AuthorizationError],
  [constants.ERR_PERMISSIONS, PermissionsError],
  [constants.ERR_STALE_CONNECTION, StaleConnectionError],
  [constants.ERR_PROTOCOL, ProtocolError],
  [constants.ERR_SLOW_CONSUMER, SlowConsumerError],
  [constants.ERR_ADDRESS_IN_USE, AddressInUseError],
  [constants.ERR_IO, SystemIOError],
  [constants.ERR_UNSUPPORTED, UnsupportedError],
  [constants.ERR_FORKED, ForkedError],
  [constants.ERR_INTERNAL, InternalError],
  [constants.ERR_STATE, StateError],
  [constants.ERR_IN_CALLBACK, InCallbackError],
  [constants.ERR_BUFFER_TOO_SMALL, BufferTooSmallError],
]);

/** The class of each status of the C ABI that is an error. */
export function errorClasses(): ReadonlyMap<number, ErrorClass> {
  return byStatus;
}

/** The error that a status stands for; an unknown one is a MartletError. */
export function errorOf(status: number, text: string): MartletError {
  return new (byStatus.get(status) ?? MartletError)(text);
}

const failures = new Map<number, string>([
  [constants.ERR_TIMEOUT, "no answer in time"],
  [constants.ERR_NO_RESPONDERS, "nobody listens to the subject"],
  [constants.ERR_CLOSED, "the connection was closed"],
  [constants.ERR_DISCONNECTED, "the connection was lost"],
]);

/** What a completion tells by its status alone. */
export function failureOf(status: number, text: string, what: string): MartletError {
  return errorOf(status, text !== "" ? text : (failures.get(status) ?? what));
}
