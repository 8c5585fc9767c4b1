// SPDX-License-Identifier: Apache-2.0
//
// Owns the byte work under subjects: where a token ends, whether one is empty, equality and the
// keyed hash of a token. Promises: eight bytes a step, never a byte read outside the text. Knows
// nothing of wildcards.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace martlet::subject {

static_assert(std::endian::native == std::endian::little, "the first byte of a load is its lowest");

inline uint64_t load_8(const char* at) noexcept {
  uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

inline uint64_t load_4(const char* at) noexcept {
  uint32_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

/// The `bytes` (below 8) at `at`, zeros above them. Overlapping loads put a byte twice in one
/// place, which is harmless.
inline uint64_t load_below_8(const char* at, size_t bytes) noexcept {
  if (bytes >= 4) return load_4(at) | load_4(at + bytes - 4) << (8 * (bytes - 4));
  if (bytes == 0) return 0;
  const auto byte = [at](size_t i) {
    return uint64_t{static_cast<unsigned char>(at[i])} << (8 * i);
  };
  return byte(0) | byte(bytes >> 1) | byte(bytes - 1);
}

/// 0x80 in each byte that is a dot, 0 in every other.
inline uint64_t dots_in(uint64_t word) noexcept {
  constexpr uint64_t low_bits = 0x7f7f7f7f7f7f7f7fULL;
  const uint64_t zero_where_dot = word ^ 0x2e2e2e2e2e2e2e2eULL;
  return ~(((zero_where_dot & low_bits) + low_bits) | zero_where_dot | low_bits);
}

/// Where the token that starts at `begin` ends: the next dot, or the end of the text.
inline size_t token_end(std::string_view text, size_t begin) noexcept {
  size_t at = begin;
  for (; text.size() - at >= 8; at += 8) {
    const uint64_t dots = dots_in(load_8(text.data() + at));
    if (dots != 0) return at + static_cast<size_t>(std::countr_zero(dots)) / 8;
  }
  const uint64_t dots = dots_in(load_below_8(text.data() + at, text.size() - at));
  return dots != 0 ? at + static_cast<size_t>(std::countr_zero(dots)) / 8 : text.size();
}

/// True for the empty text too: it holds one empty token.
inline bool has_empty_token(std::string_view text) noexcept {
  if (text.empty() || text.back() == '.') return true;
  uint64_t dot_before = 0x80;
  size_t at = 0;
  for (; text.size() - at >= 8; at += 8) {
    const uint64_t dots = dots_in(load_8(text.data() + at));
    if ((dots & (dots << 8 | dot_before)) != 0) return true;
    dot_before = dots >> 56;
  }
  const uint64_t dots = dots_in(load_below_8(text.data() + at, text.size() - at));
  return (dots & (dots << 8 | dot_before)) != 0;
}

inline bool equal_bytes(const char* a, const char* b, size_t bytes) noexcept {
  for (; bytes >= 8; a += 8, b += 8, bytes -= 8) {
    if (load_8(a) != load_8(b)) return false;
  }
  return load_below_8(a, bytes) == load_below_8(b, bytes);
}

/// A hash of byte strings that nobody without the seed can make collide at will. Multiplies 64 by
/// 64 bits and folds.
class TokenHash {
 public:
  explicit TokenHash(uint64_t seed) noexcept
      : first_key_(spread(seed)), second_key_(spread(seed ^ first_key_)) {}

  uint32_t operator()(std::string_view token) const noexcept {
    const char* at = token.data();
    size_t left = token.size();
    uint64_t first = 0;
    uint64_t second = 0;
    uint64_t state = first_key_;
    if (left < 8) {
      first = load_below_8(at, left);
    } else if (left <= 16) {
      first = load_8(at);
      second = load_8(at + left - 8);
    } else {
      for (; left > 16; at += 16, left -= 16)
        state = fold(load_8(at) ^ second_key_, load_8(at + 8) ^ state);
      first = load_8(at + left - 16);
      second = load_8(at + left - 8);
    }
    return finish(first ^ state, second ^ second_key_, token.size());
  }

  uint32_t operator()(uint64_t first, uint64_t second) const noexcept {
    return finish(first ^ first_key_, second ^ second_key_, 0);
  }

 private:
  static uint64_t fold(uint64_t a, uint64_t b) noexcept {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }

  static uint64_t spread(uint64_t x) noexcept {
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
  }

  uint32_t finish(uint64_t a, uint64_t b, uint64_t bytes) const noexcept {
    return static_cast<uint32_t>(fold(fold(a, b) ^ second_key_, first_key_ ^ bytes) >> 32);
  }

  uint64_t first_key_;
  uint64_t second_key_;
};

}  // namespace martlet::subject
