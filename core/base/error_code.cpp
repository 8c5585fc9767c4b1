// SPDX-License-Identifier: Apache-2.0
//
// Owns the names of the error codes.
#include "base/error_code.hpp"

namespace martlet {

std::string_view error_code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::ok:
      return "ok";
    case ErrorCode::invalid_argument:
      return "invalid_argument";
    case ErrorCode::invalid_subject:
      return "invalid_subject";
    case ErrorCode::invalid_options:
      return "invalid_options";
    case ErrorCode::payload_too_large:
      return "payload_too_large";
    case ErrorCode::limit_reached:
      return "limit_reached";
    case ErrorCode::again:
      return "again";
    case ErrorCode::timeout:
      return "timeout";
    case ErrorCode::closed:
      return "closed";
    case ErrorCode::draining:
      return "draining";
    case ErrorCode::disconnected:
      return "disconnected";
    case ErrorCode::no_servers:
      return "no_servers";
    case ErrorCode::no_responders:
      return "no_responders";
    case ErrorCode::authorization:
      return "authorization";
    case ErrorCode::permissions:
      return "permissions";
    case ErrorCode::stale_connection:
      return "stale_connection";
    case ErrorCode::protocol:
      return "protocol";
    case ErrorCode::slow_consumer:
      return "slow_consumer";
    case ErrorCode::address_in_use:
      return "address_in_use";
    case ErrorCode::io:
      return "io";
    case ErrorCode::out_of_memory:
      return "out_of_memory";
    case ErrorCode::unsupported:
      return "unsupported";
    case ErrorCode::forked:
      return "forked";
    case ErrorCode::internal:
      return "internal";
  }
  return "unknown";
}

}  // namespace martlet
