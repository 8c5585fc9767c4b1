// SPDX-License-Identifier: Apache-2.0
//
// Goal: valid sequences are read, all others refused. Method: fixed cases at the borders.
#include "base/utf8.hpp"

#include <gtest/gtest.h>

namespace martlet {
namespace {

TEST(Utf8, reads_valid_sequences_only) {
  uint32_t code = 0;
  EXPECT_EQ(utf8_sequence("a", 0, code), 1U);
  EXPECT_EQ(utf8_sequence("x\xc3\xa9", 1, code), 2U);
  EXPECT_EQ(code, 0xe9U);
  EXPECT_EQ(utf8_sequence("\xf0\x9f\x98\x80", 0, code), 4U);
  EXPECT_EQ(code, 0x1f600U);
  EXPECT_EQ(utf8_sequence("\xed\xa0\x80", 0, code), 0U);      // A surrogate.
  EXPECT_EQ(utf8_sequence("\xc0\x80", 0, code), 0U);          // Overlong.
  EXPECT_EQ(utf8_sequence("\xf4\x90\x80\x80", 0, code), 0U);  // Above U+10FFFF.
  EXPECT_EQ(utf8_sequence("\xe2\x82", 0, code), 0U);
  EXPECT_EQ(utf8_sequence("\xff", 0, code), 0U);
}

}  // namespace
}  // namespace martlet
