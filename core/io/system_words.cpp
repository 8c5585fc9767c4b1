// SPDX-License-Identifier: Apache-2.0
//
// Owns the one place that asks for the text of an error number.
#include "io/system_words.hpp"

#include <system_error>

namespace martlet::io {

std::string system_words(int error_number) {
  std::string words = std::generic_category().message(error_number);
  if (!words.empty() && words[0] >= 'A' && words[0] <= 'Z')
    words[0] = static_cast<char>(words[0] + 32);
  return words;
}

}  // namespace martlet::io
