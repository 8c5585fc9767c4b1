// SPDX-License-Identifier: Apache-2.0
//
// Goal: blanks go at both ends and nowhere else. Method: fixed cases at the borders.
#include "base/trimmed.hpp"

#include <gtest/gtest.h>

namespace martlet {
namespace {

TEST(Trimmed, takes_blanks_at_both_ends_only) {
  EXPECT_EQ(trimmed(" \t a \t b\t "), "a \t b");
  EXPECT_EQ(trimmed("a"), "a");
  EXPECT_EQ(trimmed(""), "");
  EXPECT_EQ(trimmed(" \t "), "");
}

TEST(Trimmed, takes_only_the_blanks_that_were_named) {
  EXPECT_EQ(trimmed("\r\n a\n"), "\r\n a\n");
  EXPECT_EQ(trimmed("\r\n a\v\n", json_blanks), "a\v");
  EXPECT_EQ(trimmed("\r\n a\v\f\n", ascii_blanks), "a");
}

}  // namespace
}  // namespace martlet
