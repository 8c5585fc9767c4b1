// SPDX-License-Identifier: Apache-2.0
//
// Owns the taking apart of a query and the rules of numbers and flags.
#include "server/monitoring_query.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "broker/session.hpp"
#include "io/http_server.hpp"

namespace martlet::server {
namespace {

Error cannot_read(std::string_view type, std::string_view name, std::string_view function,
                  std::string_view value, std::string_view why) {
  return Error{ErrorCode::invalid_argument,
               fmt::format("Error decoding {} for '{}': strconv.{}: parsing {}: {}", type, name,
                           function, go_quoted(value), why)};
}

template <typename Integer>
Result<Integer> read_integer(std::string_view type, std::string_view function,
                             std::string_view name, std::string_view value) {
  if (value.empty()) return Integer{0};
  Integer number = 0;
  std::string_view digits = value;
  // Go reads a plus sign, from_chars does not.
  const bool has_plus =
      std::is_signed_v<Integer> && digits[0] == '+' && digits.size() > 1 && digits[1] != '-';
  if (has_plus) digits.remove_prefix(1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error == std::errc::invalid_argument || end != digits.data() + digits.size()) {
    return cannot_read(type, name, function, value, "invalid syntax");
  }
  if (error != std::errc()) return cannot_read(type, name, function, value, "value out of range");
  return number;
}

}  // namespace

MonitoringQuery::MonitoringQuery(std::string_view text) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty() || pair.find(';') != std::string_view::npos) continue;
    const size_t equal = pair.find('=');
    const std::string_view value =
        equal == std::string_view::npos ? std::string_view() : pair.substr(equal + 1);
    values_.emplace_back(io::decode_url(pair.substr(0, equal), true), io::decode_url(value, true));
  }
}

std::string_view MonitoringQuery::text(std::string_view name) const {
  for (const auto& [key, value] : values_) {
    if (key == name) return value;
  }
  return {};
}

Result<bool> MonitoringQuery::flag(std::string_view name) const {
  const std::string_view value = text(name);
  for (const char* yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (value == yes) return true;
  }
  for (const char* no : {"", "0", "f", "F", "false", "FALSE", "False"}) {
    if (value == no) return false;
  }
  return cannot_read("boolean", name, "ParseBool", value, "invalid syntax");
}

Result<int64_t> MonitoringQuery::integer(std::string_view name) const {
  return read_integer<int64_t>("int", "Atoi", name, text(name));
}

Result<uint64_t> MonitoringQuery::unsigned_integer(std::string_view name) const {
  return read_integer<uint64_t>("uint64", "ParseUint", name, text(name));
}

}  // namespace martlet::server
