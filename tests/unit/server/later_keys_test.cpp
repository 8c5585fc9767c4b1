// SPDX-License-Identifier: Apache-2.0
//
// Goal: what NATS knows and this version does not is told apart from what nobody knows. Method:
// samples of each.
#include "server/later_keys.hpp"

#include <gtest/gtest.h>

namespace martlet::server {
namespace {

TEST(LaterKeys, known_ones_name_what_is_missing) {
  EXPECT_EQ(later_top_key("jetstream"), "JetStream");
  EXPECT_EQ(later_top_key("leafnodes"), "leaf nodes");
  EXPECT_EQ(later_top_key("no_sys_acc"), "system account");
  EXPECT_EQ(later_authorization_key("users"), "list of users");
}

TEST(LaterKeys, others_are_unknown) {
  EXPECT_FALSE(later_top_key("port").has_value());
  EXPECT_FALSE(later_top_key("foo").has_value());
  EXPECT_FALSE(later_authorization_key("user").has_value());
}

}  // namespace
}  // namespace martlet::server
