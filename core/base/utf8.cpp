// SPDX-License-Identifier: Apache-2.0
//
// Owns the decoding of UTF-8.
#include "base/utf8.hpp"

namespace martlet {

size_t utf8_sequence(std::string_view text, size_t at, uint32_t& code) {
  const uint8_t first = static_cast<uint8_t>(text[at]);
  size_t length = 0;
  uint32_t code_min = 0;
  if (first < 0x80) {
    code = first;
    return 1;
  }
  if ((first & 0xe0) == 0xc0) {
    length = 2;
    code = first & 0x1fU;
    code_min = 0x80;
  } else if ((first & 0xf0) == 0xe0) {
    length = 3;
    code = first & 0x0fU;
    code_min = 0x800;
  } else if ((first & 0xf8) == 0xf0) {
    length = 4;
    code = first & 0x07U;
    code_min = 0x10000;
  } else {
    return 0;
  }
  if (at + length > text.size()) return 0;
  for (size_t i = 1; i < length; i++) {
    const uint8_t next = static_cast<uint8_t>(text[at + i]);
    if ((next & 0xc0) != 0x80) return 0;
    code = (code << 6) | (next & 0x3fU);
  }
  if (code < code_min || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return 0;
  return length;
}

}  // namespace martlet
