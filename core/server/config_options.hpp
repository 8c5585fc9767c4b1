// SPDX-License-Identifier: Apache-2.0
//
// Owns the meaning of configuration keys: turns a tree into Options. (The JSON options of an
// embedding program are options_json.hpp's.) A key that NATS knows and this version does not is
// refused with a sentence that names it; any other unknown key and each wrong type is refused as
// NATS words it, all mistakes of a text together.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "server/config_value.hpp"
#include "server/options.hpp"

namespace martlet::server {

struct ConfiguredOptions {
  Options options;
  /// What works but should be written otherwise, one sentence each. `-t` fails on any.
  std::vector<std::string> warnings;
};

/// Applies a configuration to `base` (usually all defaults). Port 0 becomes 4222 and -1 stays "any
/// free port". On failure the context holds warnings and errors, one a line.
Result<ConfiguredOptions> options_from_config(const ConfigTree& tree, const Options& base);

/// What no single key can show: limits that contradict each other. Done when a server is made, not
/// by `-t`.
Status check_options(const Options& options);

/// Sentences worth a line of log at start.
std::vector<std::string> options_advice(const Options& options);

}  // namespace martlet::server
