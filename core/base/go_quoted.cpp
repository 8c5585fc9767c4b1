// SPDX-License-Identifier: Apache-2.0
//
// Owns which characters Go prints as they are, and the escapes of the others.
#include "base/go_quoted.hpp"

#include <fmt/format.h>

#include <cstdint>

#include "base/utf8.hpp"

namespace martlet {
namespace {

// What Go does not print as it is: controls, invisible marks, private and unassigned ranges.
bool is_invisible(uint32_t code) {
  return code < 0xa1 || code == 0xad || (code >= 0x2000 && code <= 0x200f) ||
         (code >= 0x2028 && code <= 0x202f) || (code >= 0x205f && code <= 0x206f) ||
         code == 0x3000 || (code >= 0xe000 && code <= 0xf8ff) || code == 0xfeff ||
         (code >= 0xfff0 && code <= 0xfffb) || (code & 0xfffe) == 0xfffe || code >= 0xe0000;
}

}  // namespace

std::string go_quoted(std::string_view text) {
  std::string out = "\"";
  for (size_t i = 0; i < text.size(); i++) {
    const uint8_t c = static_cast<uint8_t>(text[i]);
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\a':
        out += "\\a";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
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
      case '\v':
        out += "\\v";
        break;
      default: {
        if (c >= 0x20 && c < 0x7f) {
          out += static_cast<char>(c);
          break;
        }
        uint32_t code = c;
        const size_t bytes = c < 0x80 ? 0 : utf8_sequence(text, i, code);
        if (bytes == 0) {
          out += fmt::format("\\x{:02x}", c);
        } else if (is_invisible(code)) {
          out += code > 0xffff ? fmt::format("\\U{:08x}", code) : fmt::format("\\u{:04x}", code);
        } else {
          out.append(text.substr(i, bytes));
        }
        i += bytes == 0 ? 0 : bytes - 1;
      }
    }
  }
  out += '"';
  return out;
}

}  // namespace martlet
