// SPDX-License-Identifier: Apache-2.0
//
// Goal: every code has a name of its own. Method: all values of the type, beyond the last one too.
#include "base/error_code.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace martlet {
namespace {

TEST(ErrorCode, every_code_has_its_own_name_in_snake_case) {
  std::set<std::string> names;
  for (int value = 0; value <= static_cast<int>(ErrorCode::internal); ++value) {
    const std::string name(error_code_name(static_cast<ErrorCode>(value)));
    EXPECT_NE(name, "unknown") << "code " << value;
    EXPECT_TRUE(names.insert(name).second) << name << " is the name of two codes";
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string::npos) << name;
  }
  EXPECT_EQ(error_code_name(ErrorCode::ok), "ok");
  EXPECT_EQ(error_code_name(ErrorCode::no_responders), "no_responders");
}

TEST(ErrorCode, what_is_no_code_is_unknown) {
  const int after_last = static_cast<int>(ErrorCode::internal) + 1;
  EXPECT_EQ(error_code_name(static_cast<ErrorCode>(after_last)), "unknown");
}

}  // namespace
}  // namespace martlet
