// SPDX-License-Identifier: Apache-2.0
//
// Owns the look of a log line: `[pid] 2026/11/24 07:18:57.123456 [INF] text`, as nats-server writes
// it and as people's log collectors expect it. Where lines go is the sink's matter.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/log.hpp"

namespace martlet::server {

struct LogLineStyle {
  int64_t process_id = 0;
  bool has_time = true;
  bool is_utc = false;
  bool has_colors = false;  // For a terminal.
};

/// One line without a newline at its end. Newlines within the text stay, as they do in nats-server.
std::string format_log_line(const LogLineStyle& style, int64_t wall_ns, LogLevel level,
                            std::string_view text);

/// What an archived log file is called: `name.2026.11.24.07.18.57.123456789`, local time.
std::string archived_log_name(std::string_view name, int64_t wall_ns);

/// Is `candidate` such a name for `name`?
bool is_archived_log_name(std::string_view name, std::string_view candidate);

}  // namespace martlet::server
