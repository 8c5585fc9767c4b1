// SPDX-License-Identifier: Apache-2.0
//
// Owns the reading of what a server sends to a client: MSG, HMSG, INFO, PING, PONG, +OK, -ERR.
// Yields views into the caller's buffer and copies nothing; an incomplete tail stays with the
// caller. Knows no sockets and no subscriptions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.hpp"

namespace martlet::client {

/// A delivered message, as views into the buffer that is being parsed.
struct ServerMessage {
  int64_t sid = 0;
  std::string_view subject;
  std::string_view reply;
  std::string_view headers;  // Empty: none. Else from "NATS/1.0" to the empty line.
  std::string_view data;
};

/// What the parser tells. Called in the order of the bytes.
class ServerOperations {
 public:
  /// False: there is no room. Parsing stops in front of this message, which is told again by the
  /// next parse().
  virtual bool on_message(const ServerMessage& message) = 0;
  virtual void on_info(std::string_view json) = 0;
  virtual void on_ping() = 0;
  virtual void on_pong() = 0;
  /// The text without the quotes.
  virtual void on_error(std::string_view text) = 0;
  /// True: forget the rest, because the connection ended inside a call above.
  virtual bool is_over() const = 0;

 protected:
  ~ServerOperations() = default;
};

class ServerParser {
 public:
  /// Longest line (INFO can be long) and longest message that are taken.
  static constexpr size_t line_bytes_max = 1024 * 1024;
  static constexpr size_t message_bytes_max = 128 * 1024 * 1024;

  struct Progress {
    size_t consumed = 0;  // The rest is to be offered again, with more behind it.
    size_t bytes_needed =
        0;  // The rest becomes useful when it has at least this many bytes. 0 when blocked.
    bool blocked = false;  // on_message() had no room.
  };

  /// Fails with `protocol` at the first byte that cannot be right; the connection is then useless.
  Result<Progress> parse(const char* data, size_t bytes, ServerOperations& operations) const;
};

}  // namespace martlet::client
