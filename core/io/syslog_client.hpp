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

/// One thread at a time. A line that cannot be sent is tried once more on a new connection, then
/// lost: a log must not stop a server.
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
  bool send_once(std::string_view message) const;

  std::string address_;
  std::string tag_;
  int descriptor_;
  bool is_local_;
};

}  // namespace martlet::io
