// SPDX-License-Identifier: Apache-2.0
//
// Owns the reading of one UTF-8 sequence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace martlet {

/// The length of the valid sequence at text[at] and its code point; 0 if there is none. Overlong
/// forms, surrogates and what lies above U+10FFFF are not valid.
size_t utf8_sequence(std::string_view text, size_t at, uint32_t& code);

}  // namespace martlet
