// SPDX-License-Identifier: Apache-2.0
//
// Goal: permission lists decide as nats-server's do. Method: the cases of its documentation and of
// detail 14.
#include "auth/permissions.hpp"

#include <gtest/gtest.h>

namespace martlet::auth {
namespace {

Permissions subscribe_allow(std::vector<PermissionEntry> entries) {
  Permissions permissions;
  permissions.subscribe.allow = std::move(entries);
  return permissions;
}

TEST(Permissions, allow_everything_by_default) {
  Permissions permissions;
  EXPECT_TRUE(permissions.may_publish("a"));
  EXPECT_TRUE(permissions.may_subscribe(">", "q"));
  EXPECT_FALSE(permissions.filters_delivery(">", ""));
}

TEST(Permissions, deny_wins) {
  Permissions permissions;
  permissions.publish.allow.emplace().push_back({"a.>", ""});
  permissions.publish.deny.push_back({"a.secret", ""});
  EXPECT_TRUE(permissions.may_publish("a.b"));
  EXPECT_FALSE(permissions.may_publish("a.secret"));
  EXPECT_FALSE(permissions.may_publish("b"));
}

TEST(Permissions, an_entry_with_a_queue_decides_for_queues) {
  const Permissions both = subscribe_allow({{"foo", ""}, {"foo", "q1"}});
  EXPECT_TRUE(both.may_subscribe("foo", ""));
  EXPECT_TRUE(both.may_subscribe("foo", "q1"));
  EXPECT_FALSE(both.may_subscribe("foo", "q2"));
  const Permissions only = subscribe_allow({{"foo", "q1"}});
  EXPECT_FALSE(only.may_subscribe("foo", ""));
  EXPECT_TRUE(only.may_subscribe("foo", "q1"));
  const Permissions wild = subscribe_allow({{"foo", "v.*"}});
  EXPECT_TRUE(wild.may_subscribe("foo", "v.1"));
  EXPECT_FALSE(wild.may_subscribe("foo", "w.1"));
}

TEST(Permissions, a_denied_part_of_a_broader_subscription_is_filtered) {
  Permissions permissions;
  permissions.subscribe.deny.push_back({"a.secret", ""});
  EXPECT_FALSE(permissions.may_subscribe("a.secret", ""));
  EXPECT_TRUE(permissions.may_subscribe("a.*", ""));
  EXPECT_TRUE(permissions.filters_delivery("a.*", ""));
  EXPECT_FALSE(permissions.filters_delivery("b", ""));
  EXPECT_FALSE(permissions.may_deliver("a.secret", ""));
  EXPECT_TRUE(permissions.may_deliver("a.b", ""));
}

}  // namespace
}  // namespace martlet::auth
