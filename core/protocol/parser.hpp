// SPDX-License-Identifier: Apache-2.0
//
// Owns the reading of the client protocol: bytes in, operations out, without copying and without
// allocating. Every limit is checked on the control line, before a payload is waited for. Knows no
// session and no socket.
#pragma once

#include <cstddef>
#include <cstdint>

#include "protocol/operation.hpp"

namespace martlet::protocol {

enum class ParseResult : uint8_t {
  operation,              // One operation is complete.
  incomplete,             // More bytes are needed.
  unknown_operation,      // -ERR 'Unknown Protocol Operation', then close.
  control_line_too_long,  // -ERR 'maximum control line exceeded', then close.
  payload_too_large,      // -ERR 'Maximum Payload Violation', then close.
  connect_required,  // Something else than CONNECT came first: -ERR 'Authorization Violation', then
                     // close.
  // Closed without a word:
  headers_not_supported,
  wrong_argument_count,
  wrong_size,
  wrong_header_size,
  headers_larger_than_payload,
};

/// What the parser enforces; the session changes it as the connection gains its rights.
struct ParserLimits {
  int64_t control_line_bytes_max = 4096;
  int64_t payload_bytes_max = 1048576;  // -1: none.
  bool headers = false;           // HPUB is understood (CONNECT said so, and the server allows it).
  bool connect_required = false;  // Only CONNECT is taken.
};

/// Stateless but for the verb of a line whose begin was thrown away: blanks behind a verb, and what
/// follows PING and PONG, may come without end.
class Parser {
 public:
  /// The parser may look (never write) this far behind the bytes it was given.
  static constexpr size_t slack_bytes = 32;

  explicit Parser(const ParserLimits& limits) : limits_(limits) {}
  ParserLimits& limits() { return limits_; }
  const ParserLimits& limits() const { return limits_; }

  /// Looks at [begin, end). On `operation`, `consumed` is its length. On `incomplete`, `consumed`
  /// bytes need not be shown again, the rest must be, together with what follows; `needed` is how
  /// many bytes that will be in all at least; a publish that lacks only of its payload is then in
  /// `operation`, which awaits_payload, as is one whose payload has a wrong end. When arguments are
  /// wrong, `operation` has its kind and its argument, and with `payload_too_large` the size in
  /// `max`.
  ParseResult next(const char* begin, const char* end, Operation& operation, size_t& consumed,
                   size_t& needed);

 private:
  ParseResult parse_slow(const char* begin, const char* end, Operation& operation, size_t& consumed,
                         size_t& needed);
  ParseResult skip_line(const char* begin, const char* at, const char* end, Operation& operation,
                        size_t& consumed, size_t& needed);
  ParseResult parse_arguments(const char* arguments, const char* arguments_end,
                              Operation& operation);
  ParseResult take_payload(const char* begin, const char* data, const char* end,
                           size_t payload_bytes, Operation& operation, size_t& consumed,
                           size_t& needed);

  ParserLimits limits_;
  bool is_behind_verb_ = false;  // Of a line whose begin was consumed.
  uint8_t verb_index_ = 0;       // That verb, in the table.
};

/// Looks ahead over what stands at `begin`, checking little of it: the end of a publish, or `end`
/// if that comes first, and its subject; null for anything else and for a line that is not whole.
const char* peek_publish(const char* begin, const char* end, std::string_view& subject);

/// A size as the protocol writes it: one to nine digits; -1 for anything else.
int64_t parse_size(std::string_view text);

}  // namespace martlet::protocol
