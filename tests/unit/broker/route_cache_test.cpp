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

/// Subjects that are kept while few listen to them, and are wider later.
class GrowingRoutes : public ::testing::Test {
 protected:
  static constexpr int64_t memory_bytes_max = 400'000'000;

  void listen(size_t count) {
    for (size_t i = 0; i < count; i++) {
      subscriptions_.push_back(store_.make("1"));
      ASSERT_TRUE(account_.routing().insert(">", "", subscriptions_.back()));
    }
    charged_before_ = budget_.bytes() - cache_bytes();
  }
  void publish(int subjects) {
    for (int i = 0; i < subjects; i++) {
      const Route& route = cache_.find(account_, "s." + std::to_string(i));
      ASSERT_EQ(route.local.size(), subscriptions_.size());
    }
  }
  int64_t cache_bytes() const {
    int64_t bytes = 0;
    cache_.for_each(
        [&](const Route& route) { bytes += static_cast<int64_t>(route.charged_bytes); });
    return bytes;
  }
  void TearDown() override {
    cache_.clear();
    EXPECT_EQ(budget_.bytes(), charged_before_);
    for (Subscription* subscription : subscriptions_) {
      account_.routing().remove(subscription);
      store_.retire(subscription);
    }
    store_.free_retired();
  }

  MemoryBudget budget_{memory_bytes_max};
  Account account_{"A", 1, 3, {}};
  SubscriptionStore store_{budget_};
  RouteCache cache_{0, 9, budget_};
  std::vector<Subscription*> subscriptions_;
  int64_t charged_before_ = 0;  // Without the cache.
};

TEST_F(GrowingRoutes, stay_within_the_bounds_of_the_cache) {
  listen(1);
  for (int twice = 0; twice < 2; twice++) publish(1000);
  const uint32_t entries = cache_.entry_count();
  EXPECT_GT(entries, 600U);  // Some share a set with two others.
  listen(5000);              // 40 kB of each route: 40 MB if all were kept.
  for (int times = 0; times < 3; times++) {
    publish(1000);
    EXPECT_LE(cache_bytes(), static_cast<int64_t>(RouteCache::bytes_max));
    EXPECT_EQ(budget_.bytes(), charged_before_ + cache_bytes());
  }
  EXPECT_GT(cache_.entry_count(), 0U);
}

TEST_F(GrowingRoutes, are_kept_one_at_a_time_when_they_are_wider_than_an_entry_may_be) {
  listen(1);
  for (int twice = 0; twice < 2; twice++) publish(50);
  EXPECT_EQ(cache_.entry_count(), 50U);
  listen(RouteCache::route_bytes_max / sizeof(Subscription*) + 1);
  publish(50);
  EXPECT_EQ(cache_.entry_count(), 0U);
  EXPECT_GT(cache_bytes(), static_cast<int64_t>(RouteCache::route_bytes_max));
  EXPECT_LE(cache_bytes(), 4 * static_cast<int64_t>(RouteCache::route_bytes_max));
  publish(50);
}

TEST_F(GrowingRoutes, go_where_memory_runs_short) {
  listen(1);
  for (int twice = 0; twice < 2; twice++) publish(50);
  const int64_t others_bytes = memory_bytes_max / 100 * 70;
  budget_.add(others_bytes);
  listen(1);
  publish(1);
  EXPECT_EQ(cache_.entry_count(), 0U);
  budget_.remove(others_bytes);
  listen(0);
  for (int twice = 0; twice < 2; twice++) publish(50);
  EXPECT_EQ(cache_.entry_count(), 50U);
  cache_.shrink();
  EXPECT_EQ(cache_.entry_count(), 50U);
  budget_.add(others_bytes);
  cache_.shrink();
  EXPECT_EQ(cache_.entry_count(), 0U);
  budget_.remove(others_bytes);
}

}  // namespace
}  // namespace martlet::broker
