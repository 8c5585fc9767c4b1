// SPDX-License-Identifier: Apache-2.0
//
// Goal: the sid table and the store of subscriptions behave as a map. Method: random scripts
// against std::map.
#include "broker/sid_table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/random.hpp"
#include "broker/subscription_store.hpp"

namespace martlet::broker {
namespace {

TEST(SidTable, behaves_as_a_map) {
  Random random(3);
  MemoryBudget budget;
  SubscriptionStore store(budget);
  SidTable table;
  std::map<std::string, Subscription*> model;
  for (int step = 0; step < 50000; step++) {
    std::string sid = std::to_string(random.below(500));
    if (random.below(4) == 0) sid += "-a-sid-that-is-too-long-to-be-kept-inline";
    const auto found = model.find(sid);
    ASSERT_EQ(table.find(sid), found == model.end() ? nullptr : found->second);
    if (found == model.end()) {
      Subscription* subscription = store.make(sid);
      ASSERT_NE(subscription, nullptr);
      ASSERT_EQ(subscription->sid(), sid);
      ASSERT_TRUE(table.reserve_one());
      table.insert(subscription);
      model[sid] = subscription;
    } else if (random.below(2) == 0) {
      table.erase(found->second);
      store.retire(found->second);
      model.erase(found);
    }
    if (step % 100 == 0) store.free_retired();
    ASSERT_EQ(table.size(), model.size());
  }
  size_t count = 0;
  table.for_each([&](Subscription&) { count += 1; });
  EXPECT_EQ(count, model.size());
  for (const auto& [sid, subscription] : model) {
    table.erase(subscription);
    store.retire(subscription);
  }
  store.free_retired();
  EXPECT_EQ(store.count(), 0U);
  EXPECT_EQ(budget.bytes(), 0);
}

}  // namespace
}  // namespace martlet::broker
