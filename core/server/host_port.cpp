// SPDX-License-Identifier: Apache-2.0
//
// Owns the rules for colons and brackets.
#include "server/host_port.hpp"

#include <fmt/format.h>

#include <charconv>

#include "broker/session.hpp"

namespace martlet::server {

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

}  // namespace martlet::server
