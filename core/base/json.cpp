// SPDX-License-Identifier: Apache-2.0
//
// Owns the writing of JSON strings.
#include "base/json.hpp"

#include <cstdint>

namespace martlet {
namespace {

// Length of the valid UTF-8 sequence that starts at text[at], or 0. Overlong forms and surrogates
// are not valid.
size_t utf8_sequence_bytes(std::string_view text, size_t at) {
  const uint8_t first = static_cast<uint8_t>(text[at]);
  size_t length = 0;
  uint32_t code = 0;
  uint32_t code_min = 0;
  if (first < 0x80) return 1;
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
  } else
    return 0;
  if (at + length > text.size()) return 0;
  for (size_t i = 1; i < length; i++) {
    const uint8_t next = static_cast<uint8_t>(text[at + i]);
    if ((next & 0xc0) != 0x80) return 0;
    code = (code << 6) | (next & 0x3fU);
  }
  if (code < code_min || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return 0;
  return length;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  static const char hex[] = "0123456789abcdef";
  out += '"';
  for (size_t i = 0; i < text.size();) {
    const uint8_t c = static_cast<uint8_t>(text[i]);
    if (c >= 0x80) {
      const size_t length = utf8_sequence_bytes(text, i);
      if (length == 0) {
        out += "\\ufffd";
        i += 1;
      } else if (length == 3 && c == 0xe2 && static_cast<uint8_t>(text[i + 1]) == 0x80 &&
                 (static_cast<uint8_t>(text[i + 2]) & 0xfe) == 0xa8) {
        out += static_cast<uint8_t>(text[i + 2]) == 0xa8 ? "\\u2028" : "\\u2029";
        i += 3;
      } else {
        out.append(text.substr(i, length));
        i += length;
      }
      continue;
    }
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      default:
        if (c < 0x20 || c == '<' || c == '>' || c == '&') {
          out += "\\u00";
          out += hex[c >> 4];
          out += hex[c & 15];
        } else {
          out += static_cast<char>(c);
        }
    }
    i += 1;
  }
  out += '"';
}

}  // namespace martlet
