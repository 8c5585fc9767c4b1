// SPDX-License-Identifier: Apache-2.0
//
// Owns the text form of a server's address: nats://user:password@host:port, with parts left out,
// and lists of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace martlet::client {

constexpr uint16_t default_port = 4222;

struct ServerUrl {
  std::string host;
  uint16_t port = default_port;
  std::string user;  // As decoded from the URL; a token when there is no password.
  std::string password;
  bool has_password = false;

  /// "nats://host:port", without credentials, brackets around IPv6.
  std::string text() const;
  bool is_same_server(const ServerUrl& other) const {
    return host == other.host && port == other.port;
  }
};

/// One address: a URL, or bare "host", "host:port", "[::1]:port". Fails with invalid_options,
/// saying what is wrong. tls:// and ws:// are known and refused as `unsupported`.
Result<ServerUrl> parse_server_url(std::string_view text);
/// Addresses joined by commas, spaces around them allowed; at least one.
Result<std::vector<ServerUrl>> parse_server_urls(std::string_view text);

}  // namespace martlet::client
