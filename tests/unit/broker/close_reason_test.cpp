// SPDX-License-Identifier: Apache-2.0
//
// Goal: every reason has a text of its own. Method: all of them.
#include "broker/close_reason.hpp"

#include <gtest/gtest.h>

#include <set>

namespace martlet::broker {
namespace {

TEST(CloseReasons, every_reason_to_close_has_a_text_of_its_own) {
  std::set<std::string_view> texts;
  int count = 0;
  for (int reason = 1; reason <= static_cast<int>(CloseReason::out_of_memory); reason++) {
    texts.insert(close_reason_text(static_cast<CloseReason>(reason)));
    count += 1;
  }
  EXPECT_EQ(texts.count(""), 0U);
  EXPECT_EQ(texts.size(), static_cast<size_t>(count));
}

}  // namespace
}  // namespace martlet::broker
