// SPDX-License-Identifier: Apache-2.0
//
// Owns the writing of JSON strings and of numbers with a fraction.
#include "base/json.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "base/assert.hpp"
#include "base/utf8.hpp"

namespace martlet {

void append_json_string(std::string& out, std::string_view text) {
  static const char hex[] = "0123456789abcdef";
  out += '"';
  for (size_t i = 0; i < text.size();) {
    const uint8_t c = static_cast<uint8_t>(text[i]);
    if (c >= 0x80) {
      uint32_t code = 0;
      const size_t length = utf8_sequence(text, i, code);
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

std::string json_number(double value) {
  const double magnitude = std::fabs(value);
  const bool exponent = magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21);
  std::array<char, 400> buffer{};
  const std::to_chars_result end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                    exponent ? std::chars_format::scientific : std::chars_format::fixed);
  MARTLET_ASSERT(end.ec == std::errc());
  std::string text(buffer.data(), end.ptr);
  // Go drops the zero of an exponent below ten: 1e-07 becomes 1e-7.
  const size_t size = text.size();
  if (exponent && size >= 4 && text[size - 4] == 'e' && text[size - 3] == '-' &&
      text[size - 2] == '0') {
    text.erase(size - 2, 1);
  }
  return text;
}

}  // namespace martlet
