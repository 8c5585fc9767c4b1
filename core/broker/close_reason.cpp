// SPDX-License-Identifier: Apache-2.0
//
// Owns the texts of the reasons.
#include "broker/close_reason.hpp"

namespace martlet::broker {

std::string_view close_reason_text(CloseReason reason) {
  switch (reason) {
    case CloseReason::none:
      return "";
    case CloseReason::client_closed:
      return "Client Closed";
    case CloseReason::authentication_timeout:
      return "Authentication Timeout";
    case CloseReason::authentication_violation:
      return "Authentication Failure";
    case CloseReason::slow_consumer_pending_bytes:
      return "Slow Consumer (Pending Bytes)";
    case CloseReason::slow_consumer_write_deadline:
      return "Slow Consumer (Write Deadline)";
    case CloseReason::write_error:
      return "Write Error";
    case CloseReason::read_error:
      return "Read Error";
    case CloseReason::parse_error:
      return "Parse Error";
    case CloseReason::stale_connection:
      return "Stale Connection";
    case CloseReason::protocol_violation:
      return "Protocol Violation";
    case CloseReason::bad_client_protocol:
      return "Bad Client Protocol Version";
    case CloseReason::max_payload_exceeded:
      return "Maximum Message Payload Exceeded";
    case CloseReason::max_control_line_exceeded:
      return "Maximum Control Line Exceeded";
    case CloseReason::max_connections_exceeded:
      return "Maximum Connections Exceeded";
    case CloseReason::max_account_connections_exceeded:
      return "Maximum Account Connections Exceeded";
    case CloseReason::no_responders_requires_headers:
      return "No Responders Requires Headers";
    case CloseReason::server_shutdown:
      return "Server Shutdown";
    case CloseReason::out_of_memory:
      return "Out Of Memory";
  }
  return "";
}

}  // namespace martlet::broker
