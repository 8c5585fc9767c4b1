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

}  // namespace martlet::server
