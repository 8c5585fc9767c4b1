// SPDX-License-Identifier: Apache-2.0
//
// Owns the splitting of `host:port`, as Go and so NATS do it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace martlet::server {

struct HostPort {
  std::string host;  // Without the brackets of an IPv6 address; may be empty.
  int64_t port = 0;  // As written, in range or not.
};

/// `host:port`, `[v6]:port` or `:port`. Fails with invalid_argument in NATS's words.
Result<HostPort> split_host_port(std::string_view text);

/// The same as Go itself splits it, for an address that clients are told: without a port, or with
/// 0 or -1, it is `default_port`. Fails with invalid_argument in Go's words.
Result<HostPort> read_advertised_address(std::string_view text, int64_t default_port);

}  // namespace martlet::server
