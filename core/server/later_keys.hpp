// SPDX-License-Identifier: Apache-2.0
//
// Owns the list of configuration keys that NATS knows and this version does not, with the words for
// what is missing.
#pragma once

#include <optional>
#include <string_view>

namespace martlet::server {

/// What this version lacks for a key of the whole text, by its lower-case name: "cluster" gives
/// "clustering".
std::optional<std::string_view> later_top_key(std::string_view name);

/// The same for a key of the block `authorization`.
std::optional<std::string_view> later_authorization_key(std::string_view name);

}  // namespace martlet::server
