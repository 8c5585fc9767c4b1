// SPDX-License-Identifier: Apache-2.0
//
// Goal: subscriptions are found by number, also after others came and went, and their restoring
// text is exact.
#include "client/subscription_table.hpp"

#include <gtest/gtest.h>

namespace martlet::client {
namespace {

std::shared_ptr<SubscriptionState> add(SubscriptionTable& table, const char* subject,
                                       const char* group) {
  std::shared_ptr<SubscriptionState> state =
      std::make_shared<SubscriptionState>(std::weak_ptr<ConnectionCore>(), nullptr);
  state->sid = table.next_sid();
  state->subject = subject;
  state->group = group;
  table.add(state);
  return state;
}

TEST(SubscriptionTable, FindsWhatIsThere) {
  SubscriptionTable table;
  const std::shared_ptr<SubscriptionState> one = add(table, "a", "");
  const std::shared_ptr<SubscriptionState> two = add(table, "b", "");
  EXPECT_EQ(table.find(one->sid), one.get());
  EXPECT_EQ(table.find(one->sid), one.get());
  EXPECT_EQ(table.find(two->sid), two.get());
  EXPECT_EQ(table.find(99), nullptr);
  table.remove(two->sid);
  EXPECT_EQ(table.find(two->sid), nullptr);
  EXPECT_EQ(table.share(two->sid), nullptr);
  EXPECT_EQ(add(table, "c", "")->sid, 3) << "a number is not used again";
  for (size_t left = 2; const std::shared_ptr<SubscriptionState> any = table.any(); --left) {
    EXPECT_EQ(table.size(), left);
    table.remove(any->sid);
  }
  EXPECT_EQ(table.find(one->sid), nullptr);
}

TEST(SubscriptionTable, RestoresWithWhatIsLeftOfTheMaximum) {
  SubscriptionTable table;
  const std::shared_ptr<SubscriptionState> state = add(table, "a.>", "g");
  EXPECT_EQ(table.restoring_text(), "SUB a.> g 1\r\n");
  state->messages_max = 10;
  state->delivered = 4;
  EXPECT_EQ(table.restoring_text(), "SUB a.> g 1\r\nUNSUB 1 6\r\n");
  state->draining = true;
  EXPECT_EQ(table.restoring_text(), "");
  EXPECT_EQ(SubscriptionTable::subscribe_line(*state), "SUB a.> g 1\r\n");
}

}  // namespace
}  // namespace martlet::client
