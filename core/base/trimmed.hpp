// SPDX-License-Identifier: Apache-2.0
//
// Owns how a text loses what stands around it.
#pragma once

#include <algorithm>
#include <string_view>

namespace martlet {

constexpr std::string_view line_blanks = " \t";
constexpr std::string_view json_blanks = " \t\r\n";
constexpr std::string_view ascii_blanks = " \t\n\v\f\r";  // What isspace takes.

/// Without the blanks at its ends; a view into `text`.
constexpr std::string_view trimmed(std::string_view text, std::string_view blanks = line_blanks) {
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

}  // namespace martlet
