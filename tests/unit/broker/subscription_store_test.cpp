// SPDX-License-Identifier: Apache-2.0
//
// Goal: a handle never names another subscription than the one it was made for. Method: slots are
// used anew on purpose.
#include "broker/subscription_store.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/failing_memory.hpp"

namespace martlet::broker {
namespace {

TEST(SubscriptionStore, an_old_handle_names_nothing) {
  MemoryBudget budget;
  SubscriptionStore store(budget);
  Subscription* first = store.make("1");
  const SubscriptionHandle handle = first->handle;
  EXPECT_EQ(store.find(handle), first);
  store.retire(first);
  EXPECT_EQ(store.find(handle), nullptr);
  EXPECT_EQ(first->sid(), "1");  // Readable until the end of the turn.
  store.free_retired();
  Subscription* second = store.make("2");
  EXPECT_EQ(second->handle.slot, handle.slot);
  EXPECT_EQ(store.find(handle), nullptr);
  EXPECT_EQ(store.find(second->handle), second);
  EXPECT_EQ(store.find({12345, 1}), nullptr);
  store.retire(second);
}

TEST(SubscriptionStore, a_long_sid_is_counted) {
  MemoryBudget budget;
  SubscriptionStore store(budget);
  store.retire(store.make("1"));
  EXPECT_EQ(budget.bytes(), SubscriptionStore::charge_bytes);
  store.retire(store.make(std::string(4000, '1')));
  EXPECT_GE(budget.bytes(), 2 * SubscriptionStore::charge_bytes + 4000);
  store.free_retired();
  EXPECT_EQ(budget.bytes(), 0);
}

TEST(SubscriptionStore, changes_nothing_when_memory_fails_and_needs_none_for_an_end) {
  const std::string long_sid(100, '7');
  const auto round = [&](test::FailingMemory& memory) {
    MemoryBudget budget;
    SubscriptionStore store(budget);
    std::vector<Subscription*> made;
    made.reserve(20);
    memory.during([&] {
      for (int i = 0; i < 20; i++) {
        const size_t before = store.count();
        Subscription* subscription = store.make(long_sid);
        if (subscription == nullptr) {
          EXPECT_EQ(store.count(), before);
          continue;
        }
        EXPECT_EQ(subscription->sid(), long_sid);
        EXPECT_EQ(store.find(subscription->handle), subscription);
        made.push_back(subscription);
      }
    });
    test::fail_allocations_from(0);
    for (Subscription* subscription : made) store.retire(subscription);
    store.free_retired();
    EXPECT_FALSE(test::stop_failing_allocations());
    EXPECT_EQ(store.count(), 0U);
    EXPECT_EQ(budget.bytes(), 0);
  };
  EXPECT_GT(test::fail_each_allocation(test::Failing::once, round), 0);
}

}  // namespace
}  // namespace martlet::broker
