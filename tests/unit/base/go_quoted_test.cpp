// SPDX-License-Identifier: Apache-2.0
//
// Goal: subjects are quoted as Go quotes them. Method: fixed cases.
#include "base/go_quoted.hpp"

#include <gtest/gtest.h>

namespace martlet {
namespace {

TEST(GoQuoted, quotes_as_go_does) {
  EXPECT_EQ(go_quoted("a.b"), "\"a.b\"");
  EXPECT_EQ(go_quoted("a\"b\\\t\x01\x7f"), "\"a\\\"b\\\\\\t\\x01\\x7f\"");
  EXPECT_EQ(go_quoted("\xc3\xa9\xff"), "\"\xc3\xa9\\xff\"");
  EXPECT_EQ(go_quoted("\xc2\xad\xe2\x80\x8b"), "\"\\u00ad\\u200b\"");
}

}  // namespace
}  // namespace martlet
