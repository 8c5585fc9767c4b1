// SPDX-License-Identifier: Apache-2.0
//
// Owns the rules for colons and brackets.
#include "server/host_port.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/trimmed.hpp"
#include "broker/session.hpp"

namespace martlet::server {
namespace {

struct Split {
  const char* mistake = nullptr;  // Nothing else is set then.
  std::string_view host;
  std::string_view port;
};

constexpr const char* missing_port = "missing port in address";

Split split_as_go(std::string_view text) {
  constexpr const char* too_many_colons = "too many colons in address";
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return {missing_port, {}, {}};
  std::string_view host = text.substr(0, colon);
  size_t brackets_end = 0;  // Behind the pair that may be.
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return {"missing ']' in address", {}, {}};
    if (end + 1 == text.size()) return {missing_port, {}, {}};
    if (end + 1 != colon) return {text[end + 1] == ':' ? too_many_colons : missing_port, {}, {}};
    host = text.substr(1, end - 1);
    brackets_end = colon;
  } else if (host.find(':') != std::string_view::npos) {
    return {too_many_colons, {}, {}};
  }
  const std::string_view rest = text.substr(brackets_end);
  if (host.find('[') != std::string_view::npos || rest.find('[') != std::string_view::npos)
    return {"unexpected '[' in address", {}, {}};
  if (rest.find(']') != std::string_view::npos) return {"unexpected ']' in address", {}, {}};
  return {nullptr, host, text.substr(colon + 1)};
}

}  // namespace

Result<HostPort> split_host_port(std::string_view text) {
  const Error unreadable = {ErrorCode::invalid_argument,
                            fmt::format("could not parse address string {}", go_quoted(text))};
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return unreadable;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return unreadable;
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return unreadable;
  }
  if (host.find_first_of("[]") != std::string_view::npos) return unreadable;
  const std::string_view written = text.substr(colon + 1);
  std::string_view digits = written;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  HostPort out;
  out.host = std::string(host);
  const char* const end = digits.data() + digits.size();
  const std::from_chars_result read = std::from_chars(digits.data(), end, out.port);
  if (read.ec != std::errc() || read.ptr != end) {
    return {ErrorCode::invalid_argument,
            fmt::format("could not parse port {}", go_quoted(written))};
  }
  return out;
}

Result<HostPort> read_advertised_address(std::string_view text, int64_t default_port) {
  std::string whole(text);
  Split split = split_as_go(whole);
  if (split.mistake == missing_port) {
    whole += fmt::format(":{}", default_port);
    split = split_as_go(whole);
  }
  if (split.mistake != nullptr)
    return {ErrorCode::invalid_argument, fmt::format("address {}: {}", whole, split.mistake)};
  const std::string_view written = trimmed(split.port, ascii_blanks);
  std::string_view digits = written;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  HostPort out;
  out.host = std::string(trimmed(split.host, ascii_blanks));
  const char* const end = digits.data() + digits.size();
  const std::from_chars_result read = std::from_chars(digits.data(), end, out.port);
  const bool is_number = !digits.starts_with('-') || digits.size() == written.size();
  if (!is_number || read.ec == std::errc::invalid_argument || read.ptr != end) {
    return {ErrorCode::invalid_argument,
            fmt::format("strconv.Atoi: parsing {}: invalid syntax", go_quoted(written))};
  }
  if (read.ec != std::errc()) {
    return {ErrorCode::invalid_argument,
            fmt::format("strconv.Atoi: parsing {}: value out of range", go_quoted(written))};
  }
  if (out.port == 0 || out.port == -1) out.port = default_port;
  return out;
}

}  // namespace martlet::server
