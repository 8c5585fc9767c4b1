// SPDX-License-Identifier: Apache-2.0
//
// Owns the writing of size texts.
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

void SizeText::make(size_t payload, uint32_t headers, bool with_headers) {
  payload_bytes = payload;
  header_bytes = headers;
  has_headers = with_headers;
  uint32_t at = 0;
  if (with_headers) {
    at = append_number(text, at, headers);
    stripped_bytes = append_line_end(stripped, append_number(stripped, 0, payload - headers));
  }
  bytes = append_line_end(text, append_number(text, at, payload));
}

}  // namespace martlet::broker
