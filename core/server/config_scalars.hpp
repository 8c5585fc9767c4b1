// SPDX-License-Identifier: Apache-2.0
//
// Owns the values of single words of the configuration language: integers with their suffixes,
// floats, booleans, datetimes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace martlet::server {

/// `64`, `-5`, `64k` (1000), `64kb`, `64Ki`, `64KiB` (1024) … Fails with a sentence in NATS's
/// words.
Result<int64_t> parse_config_integer(const std::string& text);

Result<double> parse_config_float(const std::string& text);

/// `text` is one of the words for true and false, in any case of letters.
bool is_true_word(std::string_view text);

/// `text` has the shape 2006-01-02T15:04:05Z; is there such a moment?
bool is_moment(std::string_view text);

/// ASCII letters in lower case; everything else as it is.
std::string lower_case(std::string_view text);

}  // namespace martlet::server
