// SPDX-License-Identifier: Apache-2.0
//
// Goal: the eight-bytes-a-step work on tokens gives what a byte at a time gives, and reads nothing
// outside the text. Method: every text over a small alphabet up to nine bytes at every alignment,
// in blocks of exactly their size, so that the sanitizer sees a byte too many; the spread of hashes
// over places as a table takes them.
#include "subject/token.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace martlet::subject {
namespace {

void check_text(std::string_view text) {
  const std::string dotted = "." + std::string(text) + ".";
  ASSERT_EQ(has_empty_token(text), dotted.find("..") != std::string::npos) << text;
  for (size_t begin = 0; begin <= text.size(); ++begin) {
    ASSERT_EQ(token_end(text, begin), std::min(text.find('.', begin), text.size()))
        << text << " from " << begin;
  }
  ASSERT_TRUE(equal_bytes(text.data(), std::string(text).data(), text.size()));
  for (size_t i = 0; i < text.size(); ++i) {
    std::string other(text);
    other[i] = static_cast<char>(other[i] ^ 0x80);
    ASSERT_FALSE(equal_bytes(text.data(), other.data(), text.size())) << text;
  }
}

TEST(Token, every_short_text) {
  // 0xae is a dot with its top bit set, '/' and '-' are its neighbours.
  constexpr char alphabet[] = {'.', 'a', '\xae', '/'};
  for (size_t bytes = 0; bytes <= 9; ++bytes) {
    const size_t text_total = size_t{1} << (2 * std::min<size_t>(bytes, 7));
    for (size_t number = 0; number < text_total; ++number) {
      const std::unique_ptr<char[]> text(new char[bytes]);
      for (size_t i = 0; i < bytes; ++i) text[i] = alphabet[(number >> (2 * (i % 7))) & 3];
      check_text({text.get(), bytes});
    }
  }
}

TEST(Token, one_dot_anywhere_in_longer_texts) {
  for (size_t bytes = 1; bytes < 40; ++bytes) {
    for (size_t dot = 0; dot < bytes; ++dot) {
      std::string text(bytes, '-');
      text[dot] = '.';
      check_text(text);
      if (dot > 0) text[dot - 1] = '.';
      check_text(text);
    }
  }
}

TEST(Token, the_hash_sees_every_byte_and_the_length) {
  const TokenHash hash(1);
  for (size_t bytes = 1; bytes < 70; ++bytes) {
    const std::string text(bytes, 'x');
    EXPECT_NE(hash(text), hash(std::string(bytes + 1, 'x'))) << bytes;
    EXPECT_NE(hash(std::string(bytes, '\0')), hash(std::string(bytes + 1, '\0'))) << bytes;
    for (size_t i = 0; i < bytes; ++i) {
      std::string other = text;
      other[i] = 'y';
      EXPECT_NE(hash(text), hash(other)) << bytes << " at " << i;
    }
  }
}

/// How many of as many texts as there are places share a place, in parts of what chance gives.
template <typename MakeText>
double crowding(uint64_t seed, MakeText make_text) {
  constexpr uint32_t places_log2 = 16;
  const TokenHash hash(seed);
  std::vector<uint32_t> counts(size_t{1} << places_log2);
  for (uint32_t i = 0; i < counts.size(); ++i) ++counts[hash(make_text(i)) >> (32 - places_log2)];
  double pairs = 0;
  for (const uint32_t count : counts) pairs += 0.5 * count * (count - 1.0);
  return pairs / (0.5 * static_cast<double>(counts.size()));
}

TEST(Token, hashes_of_texts_in_a_row_spread_as_chance_would) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    EXPECT_LT(crowding(seed, [](uint32_t i) { return std::to_string(i); }), 1.2);
    EXPECT_LT(crowding(seed, [](uint32_t i) { return std::to_string(100'000'000 + 4096 * i); }),
              1.2);
    EXPECT_LT(
        crowding(seed, [](uint32_t i) { return "a-long-name-of-device-" + std::to_string(i); }),
        1.2);
    EXPECT_LT(crowding(seed,
                       [](uint32_t i) {
                         return std::string(reinterpret_cast<const char*>(&i), sizeof i);
                       }),
              1.2);
  }
}

TEST(Token, another_seed_gives_other_hashes) {
  uint32_t same = 0;
  for (uint64_t seed = 1; seed < 1000; ++seed)
    same += TokenHash(seed)("token") == TokenHash(0)("token");
  EXPECT_LE(same, 1U);
}

}  // namespace
}  // namespace martlet::subject
