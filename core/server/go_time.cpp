// SPDX-License-Identifier: Apache-2.0
//
// Owns the writing of times.
#include "server/go_time.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/civil_time.hpp"
#include "base/clock.hpp"
#include "base/go_duration.hpp"

namespace martlet::server {

std::string format_wall_time(int64_t wall_ns) {
  const CivilTime time = civil_time(wall_ns);
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", time.year, time.month,
                                 time.day, time.hour, time.minute, time.second);
  if (time.nanosecond != 0) {
    text += fmt::format(".{:09}", time.nanosecond);
    while (text.back() == '0') text.pop_back();
  }
  return text + "Z";
}

std::string format_uptime(int64_t duration_ns) {
  const int64_t seconds = std::max<int64_t>(duration_ns, 0) / ns_per_s;
  const int64_t minutes = seconds / 60;
  const int64_t hours = minutes / 60;
  const int64_t days = hours / 24;
  const int64_t years = days / 365;
  std::string text;
  if (years > 0) text += fmt::format("{}y", years);
  if (days > 0) text += fmt::format("{}d", days % 365);
  if (hours > 0) text += fmt::format("{}h", hours % 24);
  if (minutes > 0) text += fmt::format("{}m", minutes % 60);
  return text + fmt::format("{}s", seconds % 60);
}

std::string format_rtt(int64_t rtt_ns) {
  if (rtt_ns > ns_per_us && rtt_ns < ns_per_ms) rtt_ns -= rtt_ns % ns_per_us;
  return format_go_duration(rtt_ns);
}

}  // namespace martlet::server
