// SPDX-License-Identifier: Apache-2.0
//
// Goal: a cached route is what the table says now, and the cache keeps to its bounds. Method: fixed
// cases. Every route against a model: tests/fuzz/broker_fuzz.cpp.
#include "broker/route_cache.hpp"

#include <gtest/gtest.h>

#include "base/out_of_memory.hpp"
#include "broker/account.hpp"
#include "broker/subscription_store.hpp"
#include "tests/support/failing_memory.hpp"

namespace martlet::broker {
namespace {

TEST(RouteCache, finds_what_a_change_makes_of_a_route) {
  MemoryBudget budget;
  Account account("A", 1, 3, {});
  RouteCache cache(0, 9, budget);
  for (int i = 0; i < 3; i++) EXPECT_TRUE(cache.find(account, "a.b").is_empty());
  Subscription wild;
  ASSERT_TRUE(account.routing().insert("a.*", "", &wild));
  EXPECT_EQ(cache.find(account, "a.b").local.size(), 1U);
  Subscription member;
  member.loop = 7;
  member.handle = {3, 4};
  ASSERT_TRUE(account.routing().insert("a.b", "q", &member));
  const Route& route = cache.find(account, "a.b");
  ASSERT_EQ(route.groups.size(), 1U);
  EXPECT_EQ(route.groups[0].name_hash, queue_name_hash("q"));
  ASSERT_EQ(route.members.size(), 1U);
  EXPECT_EQ(route.members[0].local, nullptr);
  EXPECT_EQ(route.members[0].remote.loop, 7U);
  Subscription remote;
  remote.loop = 2;
  ASSERT_TRUE(account.routing().insert(">", "", &remote));
  EXPECT_EQ(cache.find(account, "a.b").remote.size(), 1U);
  account.routing().remove(&wild);
  account.routing().remove(&member);
  account.routing().remove(&remote);
  EXPECT_TRUE(cache.find(account, "a.b").is_empty());
  EXPECT_EQ(cache.entry_count(), 1U);
}

TEST(RouteCache, is_bounded_and_gives_its_bytes_back) {
  MemoryBudget budget;
  Account account("A", 1, 3, {});
  {
    RouteCache cache(0, 9, budget);
    for (int i = 0; i < 40000; i++) {
      const std::string subject = "s." + std::to_string(i);
      cache.find(account, subject);
      cache.find(account, subject);
    }
    EXPECT_LE(cache.entry_count(), RouteCache::entries_max);
    EXPECT_GT(cache.entry_count(), RouteCache::entries_max / 2);
    EXPECT_GT(budget.bytes(), 0);
    EXPECT_LE(budget.bytes(), static_cast<int64_t>(RouteCache::bytes_max));
  }
  EXPECT_EQ(budget.bytes(), 0);
}

TEST(RouteCache, keeps_one_route_that_is_wider_than_an_entry_may_be) {
  MemoryBudget budget;
  Account account("A", 1, 3, {});
  SubscriptionStore store(budget);
  std::vector<Subscription*> subscriptions;
  for (int i = 0; i < 40'000; i++) {
    subscriptions.push_back(store.make("1"));
    const std::string queue = "g" + std::to_string(i);
    ASSERT_TRUE(account.routing().insert("wide", queue, subscriptions.back()));
  }
  const int64_t without_cache = budget.bytes();
  {
    RouteCache cache(0, 9, budget);
    for (int i = 0; i < 10; i++) {
      EXPECT_EQ(cache.find(account, "wide").groups.size(), 40'000U);
      EXPECT_TRUE(cache.find(account, "other").is_empty());
    }
    // Each is built when it is seen first and when it enters.
    EXPECT_EQ(cache.misses(), 4U);
    EXPECT_EQ(cache.find(account, "wide").cost, 40'000);
    EXPECT_EQ(cache.entry_count(), 1U);
    EXPECT_GT(budget.bytes() - without_cache, static_cast<int64_t>(RouteCache::route_bytes_max));
    Subscription plain;
    ASSERT_TRUE(account.routing().insert("*", "", &plain));
    EXPECT_EQ(cache.find(account, "wide").local.size(), 1U);
    account.routing().remove(&plain);
    EXPECT_EQ(cache.find(account, "wide").local.size(), 0U);
    // The same subject elsewhere is not it.
    Account elsewhere("B", 2, 3, {});
    EXPECT_TRUE(cache.find(elsewhere, "wide").is_empty());
    cache.clear();
    EXPECT_EQ(budget.bytes(), without_cache);
    for (int i = 0; i < 3; i++) EXPECT_EQ(cache.find(account, "wide").groups.size(), 40'000U);
  }
  EXPECT_EQ(budget.bytes(), without_cache);
  for (Subscription* subscription : subscriptions) {
    account.routing().remove(subscription);
    store.retire(subscription);
  }
  store.free_retired();
}

// Seen twice a route is kept; then it has to be built anew, and grows. Memory fails at the first or
// at the second building.
void build_routes_without(test::FailingMemory& memory, bool at_first) {
  MemoryBudget budget;
  Account account("$G", 1, 99, {});
  SubscriptionStore store(budget);
  const int64_t without_cache = 3 * SubscriptionStore::charge_bytes;
  Subscription* subscriptions[3];
  for (Subscription*& subscription : subscriptions) subscription = store.make("1");
  {
    RouteCache cache(0, 5, budget);
    bool fits = true;
    const auto look = [&] {
      fits = fits_into_memory([&] { (void)cache.find(account, "a.b"); }) && fits;
    };
    const auto look_twice = [&] {
      look();
      look();
    };
    ASSERT_TRUE(account.routing().insert("a.*", "", subscriptions[0]));
    at_first ? (void)memory.during(look_twice) : look_twice();
    ASSERT_TRUE(account.routing().insert("a.b", "", subscriptions[1]));
    ASSERT_TRUE(account.routing().insert("a.b", "group", subscriptions[2]));
    if (!at_first) {
      memory.during(look);
      EXPECT_EQ(fits, !memory.has_failed());
    }
    for (int i = 0; i < 3; i++) {
      const Route& route = cache.find(account, "a.b");
      EXPECT_EQ(route.local.size(), 2U);
      EXPECT_EQ(route.groups.size(), 1U);
    }
  }
  EXPECT_EQ(budget.bytes(), without_cache);
  for (Subscription* subscription : subscriptions) {
    account.routing().remove(subscription);
    store.retire(subscription);
  }
  store.free_retired();
}

TEST(RouteCache, a_route_that_could_not_be_built_is_built_again) {
  for (const bool at_first : {true, false}) {
    const auto round = [&](test::FailingMemory& memory) { build_routes_without(memory, at_first); };
    EXPECT_GT(test::fail_each_allocation(test::Failing::once, round), 0) << at_first;
  }
}

TEST(RouteCache, forgets_everything_when_memory_comes_to_its_end) {
  MemoryBudget budget(1'000'000);
  Account account("A", 1, 3, {});
  RouteCache cache(0, 9, budget);
  for (int i = 0; i < 100; i++) {
    for (int twice = 0; twice < 2; twice++) cache.find(account, "s." + std::to_string(i));
  }
  EXPECT_GT(cache.entry_count(), 0U);
  budget.add(700'000);
  for (int twice = 0; twice < 2; twice++) cache.find(account, "one.more");
  EXPECT_EQ(cache.entry_count(), 0U);
  EXPECT_EQ(budget.bytes(), 700'000);
  budget.remove(700'000);
  for (int twice = 0; twice < 2; twice++) cache.find(account, "one.more");
  EXPECT_EQ(cache.entry_count(), 1U);
}

}  // namespace
}  // namespace martlet::broker
