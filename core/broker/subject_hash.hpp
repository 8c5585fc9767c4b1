// SPDX-License-Identifier: Apache-2.0
//
// Owns the hash by which a loop finds what it has cached for a subject or a sid. Keyed, so that
// strangers cannot choose texts that collide.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace martlet::broker {

__extension__ typedef unsigned __int128 Uint128;

inline uint64_t mix_product(uint64_t a, uint64_t b) {
  const Uint128 product = static_cast<Uint128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

inline uint64_t hash_text(std::string_view text, uint64_t seed) {
  const char* at = text.data();
  size_t left = text.size();
  uint64_t hash = seed ^ (0x9e3779b97f4a7c15ULL * (left + 1));
  while (left > 16) {
    uint64_t a;
    uint64_t b;
    std::memcpy(&a, at, 8);
    std::memcpy(&b, at + 8, 8);
    hash = mix_product(a ^ 0xa0761d6478bd642fULL, b ^ hash);
    at += 16;
    left -= 16;
  }
  uint64_t a = 0;
  uint64_t b = 0;
  if (left >= 8) {
    std::memcpy(&a, at, 8);
    std::memcpy(&b, at + left - 8, 8);
  } else if (left >= 4) {
    uint32_t low;
    uint32_t high;
    std::memcpy(&low, at, 4);
    std::memcpy(&high, at + left - 4, 4);
    a = low;
    b = high;
  } else if (left > 0) {
    a = static_cast<uint8_t>(at[0]) |
        static_cast<uint64_t>(static_cast<uint8_t>(at[left / 2])) << 8 |
        static_cast<uint64_t>(static_cast<uint8_t>(at[left - 1])) << 16;
  }
  return mix_product(a ^ 0xe7037ed1a0b428dbULL, mix_product(b ^ 0x8ebc6af09c88c6e3ULL, hash));
}

}  // namespace martlet::broker
