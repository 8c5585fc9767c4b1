// SPDX-License-Identifier: Apache-2.0
//
// Owns the arithmetic of durations; nothing overflows, whatever the text.
#include "base/go_duration.hpp"

#include <fmt/format.h>

#include <array>
#include <limits>

#include "base/clock.hpp"
#include "base/go_quoted.hpp"

namespace martlet {
namespace {

struct Unit {
  std::string_view name;
  uint64_t ns;
};

constexpr std::array<Unit, 8> units = {{{"ns", 1},
                                        {"us", ns_per_us},
                                        {"µs", ns_per_us},  // Micro sign.
                                        {"μs", ns_per_us},  // Greek mu.
                                        {"ms", ns_per_ms},
                                        {"s", ns_per_s},
                                        {"m", 60 * ns_per_s},
                                        {"h", 3600 * ns_per_s}}};

// The magnitude of the smallest int64, which a negative duration may reach.
constexpr uint64_t magnitude_max = uint64_t{1} << 63U;

bool is_digit(char character) { return character >= '0' && character <= '9'; }

Error invalid(std::string_view text) {
  return {ErrorCode::invalid_argument, fmt::format("time: invalid duration {}", go_quoted(text))};
}

/// One `12.5ms` at the front of `rest`, which it takes away. `text` is the whole, for messages.
Result<uint64_t> take_piece(std::string_view& rest, std::string_view text) {
  uint64_t whole = 0;
  bool has_digits = false;
  for (; !rest.empty() && is_digit(rest[0]); rest.remove_prefix(1)) {
    has_digits = true;
    const auto digit = static_cast<uint64_t>(rest[0] - '0');
    if (whole > (magnitude_max - digit) / 10) return invalid(text);
    whole = whole * 10 + digit;
  }
  double fraction = 0;
  if (!rest.empty() && rest[0] == '.') {
    rest.remove_prefix(1);
    for (double scale = 0.1; !rest.empty() && is_digit(rest[0]);
         rest.remove_prefix(1), scale /= 10) {
      has_digits = true;
      fraction += scale * (rest[0] - '0');
    }
  }
  if (!has_digits) return invalid(text);
  size_t length = 0;
  while (length < rest.size() && rest[length] != '.' && !is_digit(rest[length])) ++length;
  if (length == 0) {
    return {ErrorCode::invalid_argument,
            fmt::format("time: missing unit in duration {}", go_quoted(text))};
  }
  const std::string_view name = rest.substr(0, length);
  rest.remove_prefix(length);
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    const auto part = static_cast<uint64_t>(fraction * static_cast<double>(unit.ns) + 0.5);
    if (whole > magnitude_max / unit.ns || whole * unit.ns > magnitude_max - part)
      return invalid(text);
    return whole * unit.ns + part;
  }
  return {ErrorCode::invalid_argument,
          fmt::format("time: unknown unit {} in duration {}", go_quoted(name), go_quoted(text))};
}

// `value` of units of 10^places, without zeros at the end of the fraction.
std::string decimal(uint64_t value, int places) {
  uint64_t scale = 1;
  for (int i = 0; i < places; ++i) scale *= 10;
  std::string out = std::to_string(value / scale);
  if (value % scale == 0) return out;
  std::string fraction = fmt::format("{:0{}}", value % scale, places);
  while (fraction.back() == '0') fraction.pop_back();
  return out + "." + fraction;
}

}  // namespace

Result<int64_t> parse_go_duration(std::string_view text) {
  std::string_view rest = text;
  bool negative = false;
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) {
    negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  if (rest == "0") return int64_t{0};
  if (rest.empty()) return invalid(text);
  uint64_t total = 0;
  while (!rest.empty()) {
    Result<uint64_t> piece = take_piece(rest, text);
    if (!piece) return piece.take_error();
    if (*piece > magnitude_max - total) return invalid(text);
    total += *piece;
  }
  if (negative) return static_cast<int64_t>(~total + 1);
  if (total > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return invalid(text);
  return static_cast<int64_t>(total);
}

std::string format_go_duration(int64_t duration_ns) {
  if (duration_ns == 0) return "0s";
  const std::string sign = duration_ns < 0 ? "-" : "";
  const uint64_t ns = duration_ns < 0 ? ~static_cast<uint64_t>(duration_ns) + 1
                                      : static_cast<uint64_t>(duration_ns);
  if (ns < ns_per_us) return fmt::format("{}{}ns", sign, ns);
  if (ns < ns_per_ms) return fmt::format("{}{}µs", sign, decimal(ns, 3));
  if (ns < ns_per_s) return fmt::format("{}{}ms", sign, decimal(ns, 6));
  constexpr uint64_t minute = 60 * ns_per_s;
  const std::string seconds = decimal(ns % minute, 9) + "s";
  if (ns < minute) return sign + seconds;
  const uint64_t minutes = ns / minute;
  if (minutes < 60) return fmt::format("{}{}m{}", sign, minutes, seconds);
  return fmt::format("{}{}h{}m{}", sign, minutes / 60, minutes % 60, seconds);
}

}  // namespace martlet
