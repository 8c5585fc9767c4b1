// SPDX-License-Identifier: Apache-2.0
//
// Owns the one table of error codes of the core. The C ABI maps each to a status; numbers of the
// ABI live there, not here. A code says what kind of thing went wrong; the context text says which
// thing and which limit.
#pragma once

#include <cstdint>
#include <string_view>

namespace martlet {

enum class ErrorCode : uint8_t {
  ok = 0,
  invalid_argument,   // The caller's value is wrong: the context names the argument.
  invalid_subject,    // A subject that the rules of NATS refuse.
  invalid_options,    // A configuration or options text is wrong: the context names the key.
  payload_too_large,  // Above max_payload of the server.
  limit_reached,      // A bound of ours or of the server (connections, subscriptions, memory).
  again,              // Nothing now, or a buffer is full: try later.
  timeout,            // The time given has passed.
  closed,             // The object is closed.
  draining,           // The connection or subscription is draining: nothing new is taken.
  disconnected,       // No connection at the moment.
  no_servers,         // No server of the pool could be reached.
  no_responders,      // A request that nobody listens to (status 503).
  authorization,      // The server refused the credentials.
  permissions,        // The server refused a publish or a subscription.
  stale_connection,   // Pings were not answered.
  protocol,           // The peer spoke something that is not the protocol.
  slow_consumer,      // A subscription or connection fell behind its bound.
  address_in_use,     // A port is taken.
  io,                 // The system refused a read, write, open, bind …: the context names it.
  out_of_memory,      // An allocation failed, or max_memory is reached.
  unsupported,        // Known, and comes later or needs something that is absent.
  forked,             // The object belongs to the parent process; this copy is inert.
  internal,           // A case that should not exist; a bug of ours worth a report.
};

/// A short name in snake_case, for logs and tests.
std::string_view error_code_name(ErrorCode code);

}  // namespace martlet
