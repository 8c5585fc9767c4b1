// SPDX-License-Identifier: Apache-2.0
//
// Owns the digests that are shown to people and programs: of a configuration, of the options.
#pragma once

#include <string>
#include <string_view>

namespace martlet::server {

/// "sha256:" and 64 hexadecimal digits.
std::string sha256_digest(std::string_view bytes);

}  // namespace martlet::server
