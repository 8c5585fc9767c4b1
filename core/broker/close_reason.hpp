// SPDX-License-Identifier: Apache-2.0
//
// Owns the reasons why a session ends, and their texts.
#pragma once

#include <cstdint>
#include <string_view>

namespace martlet::broker {

/// Why a session ends. Names and texts as nats-server reports them in /connz.
enum class CloseReason : uint8_t {
  none,
  client_closed,
  authentication_timeout,
  authentication_violation,
  slow_consumer_pending_bytes,
  slow_consumer_write_deadline,
  write_error,
  read_error,
  parse_error,
  stale_connection,
  protocol_violation,
  bad_client_protocol,
  max_payload_exceeded,
  max_control_line_exceeded,
  max_connections_exceeded,
  max_account_connections_exceeded,
  no_responders_requires_headers,
  server_shutdown,
  out_of_memory,
};

std::string_view close_reason_text(CloseReason reason);

}  // namespace martlet::broker
