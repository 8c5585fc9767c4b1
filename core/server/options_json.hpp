// SPDX-License-Identifier: Apache-2.0
//
// Owns the options of an embedded server as one JSON object (capi/records/server_options.toml
// describes each key). What an embedding program means differs from what a file means: no port is
// any free port, no host is the loopback address.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "server/options.hpp"

namespace martlet::server {

/// Empty text: the defaults of an embedded server. Fails with invalid_options, naming the key.
Result<Options> parse_options_json(std::string_view text);

/// Every key that parse_options_json() takes, sorted.
std::vector<std::string_view> options_json_keys();

/// What both forms of an embedded server's options start from.
Options embedded_defaults();

}  // namespace martlet::server
