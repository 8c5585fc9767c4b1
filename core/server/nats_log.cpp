// SPDX-License-Identifier: Apache-2.0
//
// Owns the letters, colours and calendar of a log line.
#include "server/nats_log.hpp"

#include <fmt/format.h>

#include <ctime>

#include "base/clock.hpp"

namespace martlet::server {
namespace {

struct LevelLook {
  std::string_view label;
  std::string_view color;
};

LevelLook look_of(LogLevel level) {
  switch (level) {
    case LogLevel::fatal:
      return {"FTL", "31"};
    case LogLevel::error:
      return {"ERR", "31"};
    case LogLevel::warning:
      return {"WRN", "0;93"};
    case LogLevel::info:
      return {"INF", "32"};
    case LogLevel::debug:
      return {"DBG", "36"};
    case LogLevel::trace:
      return {"TRC", "33"};
  }
  return {"INF", "32"};
}

std::tm calendar_of(int64_t wall_ns, bool is_utc) {
  const auto seconds = static_cast<std::time_t>(wall_ns / ns_per_s);
  std::tm calendar{};
  if (is_utc) {
    gmtime_r(&seconds, &calendar);
  } else {
    localtime_r(&seconds, &calendar);
  }
  return calendar;
}

bool is_digit(char character) { return character >= '0' && character <= '9'; }

}  // namespace

std::string format_log_line(const LogLineStyle& style, int64_t wall_ns, LogLevel level,
                            std::string_view text) {
  std::string line = fmt::format("[{}] ", style.process_id);
  if (style.has_time) {
    const std::tm calendar = calendar_of(wall_ns, style.is_utc);
    line += fmt::format("{:04}/{:02}/{:02} {:02}:{:02}:{:02}.{:06} ", calendar.tm_year + 1900,
                        calendar.tm_mon + 1, calendar.tm_mday, calendar.tm_hour, calendar.tm_min,
                        calendar.tm_sec, wall_ns % ns_per_s / ns_per_us);
  }
  const LevelLook look = look_of(level);
  if (style.has_colors) {
    line += fmt::format("[\x1b[{}m{}\x1b[0m] ", look.color, look.label);
  } else {
    line += fmt::format("[{}] ", look.label);
  }
  line += text;
  return line;
}

std::string archived_log_name(std::string_view name, int64_t wall_ns) {
  const std::tm calendar = calendar_of(wall_ns, false);
  return fmt::format("{}.{:04}.{:02}.{:02}.{:02}.{:02}.{:02}.{:09}", name, calendar.tm_year + 1900,
                     calendar.tm_mon + 1, calendar.tm_mday, calendar.tm_hour, calendar.tm_min,
                     calendar.tm_sec, wall_ns % ns_per_s);
}

bool is_archived_log_name(std::string_view name, std::string_view candidate) {
  if (!candidate.starts_with(name)) return false;
  candidate.remove_prefix(name.size());
  constexpr std::string_view shape = ".0000.00.00.00.00.00.";
  if (candidate.size() <= shape.size() || candidate.size() > shape.size() + 9) return false;
  for (size_t i = 0; i < candidate.size(); ++i) {
    const bool wants_dot = i < shape.size() && shape[i] == '.';
    if (wants_dot ? candidate[i] != '.' : !is_digit(candidate[i])) return false;
  }
  return true;
}

}  // namespace martlet::server
