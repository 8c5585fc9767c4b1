// SPDX-License-Identifier: Apache-2.0
//
// Goal: the texts of a session are those of NATS. Method: fixed cases; what a session does is
// tested over streams in tests/unit/net/connection_test.cpp and on the wire in tests/conformance.
#include "broker/session.hpp"

#include <gtest/gtest.h>

#include <set>

namespace martlet::broker {
namespace {

TEST(SessionTexts, quotes_as_go_does) {
  EXPECT_EQ(go_quoted("a.b"), "\"a.b\"");
  EXPECT_EQ(go_quoted("a\"b\\\t\x01\x7f"), "\"a\\\"b\\\\\\t\\x01\\x7f\"");
}

TEST(SessionTexts, every_reason_to_close_has_a_text_of_its_own) {
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
