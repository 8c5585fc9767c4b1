// SPDX-License-Identifier: Apache-2.0
//
// Owns a connection to a syslog server, this machine's or another: lines leave as RFC 3164
// messages, as Go's syslog package writes them. For the program only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace martlet::io {

enum class SyslogSeverity : uint8_t {
  critical = 2,
  error = 3,
  warning = 4,
  notice = 5,
  info = 6,
  debug = 7
};

/// One thread at a time. A log must not stop a server, so nothing but connect() waits: a line that
/// cannot be sent is tried once more on a new connection, which is sought once in a second; what
/// the other side does not take, and what comes in between, is lost, counted, and told of by a line
/// of its own as soon as lines are taken again.
class SyslogClient {
 public:
  /// `address`: empty for this machine's log, else udp://host:port, tcp://host:port or
  /// unix:///path. `tag` names the program.
  static Result<SyslogClient> connect(const std::string& address, const std::string& tag);

  SyslogClient(SyslogClient&& other) noexcept;
  SyslogClient& operator=(SyslogClient&& other) = delete;
  ~SyslogClient();

  void send(SyslogSeverity severity, int64_t wall_ns, std::string_view text);

 private:
  SyslogClient(std::string address, std::string tag, int descriptor, bool is_local);
  enum class Sending : uint8_t { sent, full, broken };
  std::string message_of(SyslogSeverity severity, int64_t wall_ns, std::string_view text) const;
  Sending put(const std::string& message);
  Sending put_rest();
  bool seek_again(int64_t wall_ns);

  std::string address_;
  std::string tag_;
  int64_t process_id_;  // Of who connected; asked once.
  int descriptor_;
  bool is_local_;
  std::string peer_;  // Over a network: whom it was connected to at first.
  std::string rest_;  // Of a message that has left in part: a stream must not lose its middle.
  uint64_t lost_lines_ = 0;
  int64_t sought_wall_ns_ = 0;  // When a new connection was last begun.
};

}  // namespace martlet::io
