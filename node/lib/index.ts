// SPDX-License-Identifier: Apache-2.0
//
// Owns nothing: names what the package offers.
import { raw } from "./raw";

export { connect } from "./connect";
export { NatsConnection } from "./connection";
export * from "./errors";
export { headers } from "./headers";
export type { MsgHdrs } from "./headers";
export { Msg } from "./message";
export type { Payload, PublishOptions } from "./message";
export type {
  Bounds, ConnectionOptions, LogLevel, Policy, RequestManyOptions, RequestOptions, ServerOptions,
  WaitOptions,
} from "./options";
export { Server } from "./server";
export type { ServerInfo, Stats, Status } from "./status";
export { Subscription } from "./subscription";
export type { MsgCallback, NextOptions, SubscriptionOptions } from "./subscription";

/** The release of the library inside. */
export const version: string = raw.versionText();

/** What others have made and the addon carries inside: each library and its version. */
export function linkedVersions(): Record<string, string> {
  return JSON.parse(raw.linkedVersions()) as Record<string, string>;
}
