// SPDX-License-Identifier: Apache-2.0
//
// Owns the encoding: prefix byte, key, CRC-16 (XMODEM) little endian, base32 without padding.
#include "auth/server_id.hpp"

namespace martlet::auth {
namespace {

constexpr uint8_t server_prefix = 13 << 3;  // 'N' in base32.

uint16_t crc16(const uint8_t* bytes, size_t count) {
  uint16_t crc = 0;
  for (size_t i = 0; i < count; i++) {
    crc = static_cast<uint16_t>(crc ^ (bytes[i] << 8));
    for (int bit = 0; bit < 8; bit++) {
      crc = static_cast<uint16_t>((crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1);
    }
  }
  return crc;
}

}  // namespace

std::string encode_server_id(const std::array<uint8_t, 32>& key) {
  uint8_t raw[35];
  raw[0] = server_prefix;
  for (size_t i = 0; i < key.size(); i++) raw[1 + i] = key[i];
  const uint16_t crc = crc16(raw, 33);
  raw[33] = static_cast<uint8_t>(crc & 0xff);
  raw[34] = static_cast<uint8_t>(crc >> 8);
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string text;
  uint32_t bits = 0;
  int bit_count = 0;
  for (const uint8_t byte : raw) {
    bits = bits << 8 | byte;
    bit_count += 8;
    while (bit_count >= 5) {
      bit_count -= 5;
      text += alphabet[(bits >> bit_count) & 31];
    }
  }
  return text;
}

}  // namespace martlet::auth
