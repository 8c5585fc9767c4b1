// SPDX-License-Identifier: Apache-2.0
//
// Owns the grammar of the NATS configuration language: pairs, maps, arrays, variables, includes.
// Turns a text into a ConfigTree, or into one sentence that says where it is wrong, in NATS's words
// where NATS has words. Does not know what any key means (options.hpp). Throws nothing; its depth,
// its includes and its size are bounded.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "server/config_source.hpp"
#include "server/config_value.hpp"

namespace martlet::server {

/// Maps and arrays within each other.
constexpr size_t config_nesting_max = 64;
/// Includes within includes, and variables whose environment values name further ones.
constexpr size_t config_include_depth_max = 16;
/// Files included by one text, directly or not.
constexpr size_t config_include_count_max = 1000;
/// Text read in all: files, and values of the environment as often as they are named.
constexpr size_t config_text_bytes_max = 32U * 1024 * 1024;
/// What `$name` copies in all: one for each value, one for each 32 bytes of text.
constexpr size_t config_copies_max = 1'000'000;

/// Reads the file and what it includes.
Result<ConfigTree> parse_config_file(const std::string& path, const ConfigSource& source);

/// The same for a text that is already here; `name` stands for it in messages, and includes are
/// relative to its folder.
Result<ConfigTree> parse_config_text(std::string_view text, const std::string& name,
                                     const ConfigSource& source);

}  // namespace martlet::server
