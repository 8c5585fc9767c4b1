// SPDX-License-Identifier: Apache-2.0
//
// Owns the texts; they are those of nats-server 2.15.2. Where it shows the inside of its parser, a
// state's number and an index, here stands more of the line.
#include "broker/parse_failure.hpp"

#include <fmt/format.h>

#include "base/go_quoted.hpp"

namespace martlet::broker {
namespace {

constexpr size_t shown_bytes_max = 32;

std::string_view reader_of(const protocol::Operation& operation) {
  switch (operation.kind) {
    case protocol::OperationKind::subscribe:
      return "processSub";
    case protocol::OperationKind::unsubscribe:
      return "processUnsub";
    default:
      return operation.has_headers ? "processHeaderPub" : "processPub";
  }
}

std::string argument_failure(const protocol::Operation& operation, std::string_view what) {
  return fmt::format("{} {}: {}", reader_of(operation), what, go_quoted(operation.argument));
}

}  // namespace

std::string parse_failure_text(protocol::ParseResult result, const protocol::Operation& operation,
                               std::string_view bytes, int64_t payload_bytes_max) {
  switch (result) {
    case protocol::ParseResult::control_line_too_long:
      return "maximum control line exceeded";
    case protocol::ParseResult::payload_too_large:
      // The parser leaves the size that was announced.
      return fmt::format("maximum payload exceeded: {} vs {}", operation.max, payload_bytes_max);
    case protocol::ParseResult::connect_required:
      return "authentication error";
    case protocol::ParseResult::headers_not_supported:
      return "message headers not supported";
    case protocol::ParseResult::wrong_argument_count:
      return argument_failure(operation, "Parse Error");
    case protocol::ParseResult::wrong_size:
      return argument_failure(
          operation, operation.has_headers ? "Bad or Missing Total Size" : "Bad or Missing Size");
    case protocol::ParseResult::wrong_header_size:
      return argument_failure(operation, "Bad or Missing Header Size");
    case protocol::ParseResult::headers_larger_than_payload:
      return argument_failure(operation, "Header Size larger then TotalSize");
    case protocol::ParseResult::unknown_operation:
    case protocol::ParseResult::operation:
    case protocol::ParseResult::incomplete:
      break;
  }
  return fmt::format("Client parser ERROR: proto='{}...'",
                     go_quoted(bytes.substr(0, shown_bytes_max)));
}

}  // namespace martlet::broker
