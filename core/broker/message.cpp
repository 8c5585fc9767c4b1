// SPDX-License-Identifier: Apache-2.0
//
// Owns the size texts of a message.
#include "broker/message.hpp"

namespace martlet::broker {
namespace {

// Appends " <number>".
uint32_t append_number(char* text, uint32_t at, uint64_t number) {
  char digits[20];
  uint32_t count = 0;
  do {
    digits[count++] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  text[at++] = ' ';
  while (count > 0) text[at++] = digits[--count];
  return at;
}

uint32_t append_line_end(char* text, uint32_t at) {
  text[at++] = '\r';
  text[at++] = '\n';
  return at;
}

}  // namespace

void Message::prepare() {
  uint32_t at = 0;
  if (has_headers) {
    at = append_number(size_text, at, header_bytes);
    stripped_text_bytes =
        append_line_end(stripped_text, append_number(stripped_text, 0, payload.size() - header_bytes));
  }
  size_text_bytes = append_line_end(size_text, append_number(size_text, at, payload.size()));
}

}  // namespace martlet::broker
