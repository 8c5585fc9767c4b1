// SPDX-License-Identifier: Apache-2.0
//
// Owns the writing of size texts.
#include "broker/message.hpp"

namespace martlet::broker {
namespace {

// Appends " <zeros><number>".
uint32_t append_number(char* text, uint32_t at, uint64_t number, uint8_t zeros) {
  char digits[20];
  uint32_t count = 0;
  do {
    digits[count++] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  text[at++] = ' ';
  for (uint8_t i = 0; i < zeros; i++) text[at++] = '0';
  while (count > 0) text[at++] = digits[--count];
  return at;
}

uint32_t append_line_end(char* text, uint32_t at) {
  text[at++] = '\r';
  text[at++] = '\n';
  return at;
}

}  // namespace

void SizeText::make(const Message& message) {
  payload_bytes = message.payload.size();
  header_bytes = message.header_bytes;
  has_headers = message.has_headers;
  zeros = message.size_zeros;
  header_zeros = message.header_size_zeros;
  uint32_t at = 0;
  if (has_headers) {
    at = append_number(text, at, header_bytes, header_zeros);
    stripped_bytes =
        append_line_end(stripped, append_number(stripped, 0, payload_bytes - header_bytes, 0));
  }
  bytes = append_line_end(text, append_number(text, at, payload_bytes, zeros));
}

}  // namespace martlet::broker
