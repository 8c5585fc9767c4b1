// SPDX-License-Identifier: Apache-2.0
//
// Goal: a broken invariant ends the process in every build and says where; an invariant that holds
// costs nothing visible. Method: death tests.
#include "base/assert.hpp"

#include <gtest/gtest.h>

namespace martlet {
namespace {

TEST(AssertDeathTest, a_broken_invariant_names_the_condition_and_its_place) {
  const int count = 3;
  EXPECT_DEATH(MARTLET_ASSERT(count == 4),
               "broken invariant at .*assert_test\\.cpp:[0-9]+: count == 4");
}

TEST(Assert, one_that_holds_is_evaluated_once_and_passes) {
  int evaluated = 0;
  MARTLET_ASSERT(++evaluated == 1);
  EXPECT_EQ(evaluated, 1);
}

TEST(Assert, is_an_expression) {
  // Used where a statement does not fit, such as before a comma or in a constructor's list.
  const int value = (MARTLET_ASSERT(true), 7);
  EXPECT_EQ(value, 7);
}

}  // namespace
}  // namespace martlet
