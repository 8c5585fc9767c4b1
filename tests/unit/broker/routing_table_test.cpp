// SPDX-License-Identifier: Apache-2.0
//
// Goal: a change is seen by every subject it can match, and by few others. Method: random patterns
// and subjects against the plain matching rule, and fixed cases of churn elsewhere.
#include "broker/routing_table.hpp"

#include <gtest/gtest.h>

#include "base/out_of_memory.hpp"
#include "base/random.hpp"
#include "broker/route_cache.hpp"
#include "broker/subscription_store.hpp"
#include "subject/subject.hpp"
#include "tests/support/failing_allocations.hpp"

namespace martlet::broker {
namespace {

std::string random_subject(Random& random, bool pattern) {
  std::string text;
  const uint32_t tokens = 1 + random.below(7);
  for (uint32_t i = 0; i < tokens; i++) {
    if (i > 0) text += '.';
    const uint32_t kind = random.below(10);
    if (pattern && kind == 0 && i + 1 == tokens) {
      text += '>';
    } else if (pattern && kind < 3) {
      text += '*';
    } else {
      text += static_cast<char>('a' + random.below(3));
    }
  }
  return text;
}

TEST(RoutingTable, a_change_that_matches_is_always_seen) {
  Random random(5);
  RoutingTable table(42);
  for (int i = 0; i < 20000; i++) {
    const std::string pattern = random_subject(random, true);
    const std::string subject = random_subject(random, false);
    if (!subject::matches(pattern, subject)) continue;
    const RouteDependencies dependencies = table.dependencies_of(subject);
    const uint64_t before = table.change_sum(dependencies);
    const uint64_t version = table.version();
    Subscription subscription;
    ASSERT_TRUE(table.insert(pattern, "", &subscription));
    const uint64_t between = table.change_sum(dependencies);
    EXPECT_NE(before, between) << pattern << " " << subject;
    EXPECT_NE(version, table.version());
    table.remove(&subscription);
    EXPECT_NE(between, table.change_sum(dependencies)) << pattern << " " << subject;
  }
}

TEST(RoutingTable, churn_of_inboxes_leaves_other_subjects_alone) {
  RoutingTable table(42);
  const RouteDependencies orders = table.dependencies_of("orders.new.eu");
  const uint64_t before = table.change_sum(orders);
  for (int i = 0; i < 1000; i++) {
    Subscription subscription;
    ASSERT_TRUE(table.insert("_INBOX.x" + std::to_string(i) + ".*", "", &subscription));
    table.remove(&subscription);
  }
  // One of 1,024 counters is hit by chance now and then; mostly the sum stands.
  EXPECT_EQ(table.count(), 0U);
  EXPECT_LE(table.change_sum(orders) - before, 40U);
}

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

TEST(RoutingTable, a_subscription_goes_without_memory_and_every_loop_sees_it) {
  RoutingTable table(42);
  const std::string pattern = "a.subject.that.is.longer.than.what.a.string.holds.inside";
  subject::TrieEntry entry;
  subject::TrieEntry other;
  ASSERT_TRUE(table.insert(pattern, "", &entry));
  ASSERT_TRUE(table.insert("other", "", &other));
  const RouteDependencies dependencies = table.dependencies_of(pattern);
  const uint64_t sum = table.change_sum(dependencies);
  const uint64_t version = table.version();
  test::fail_allocations_from(0);
  table.remove(&entry);
  EXPECT_TRUE(test::stop_failing_allocations());
  EXPECT_EQ(entry.node, nullptr);
  EXPECT_EQ(table.count(), 1U);
  EXPECT_NE(table.change_sum(dependencies), sum);
  EXPECT_NE(table.version(), version);
  table.remove(&other);
}

TEST(RouteCache, a_route_that_could_not_be_built_is_built_again) {
  MemoryBudget budget;
  Account account("$G", 1, 99, {});
  SubscriptionStore store(budget);
  const int64_t without_cache = 3 * SubscriptionStore::charge_bytes;
  for (int64_t count = 0;; count++) {
    SCOPED_TRACE(count);
    ASSERT_LT(count, 100);
    Subscription* subscriptions[3];
    for (Subscription*& subscription : subscriptions) subscription = store.make("1");
    bool has_failed = false;
    {
      RouteCache cache(0, 5, budget);
      ASSERT_TRUE(account.routing().insert("a.*", "", subscriptions[0]));
      // Seen twice it is kept; then it has to be built anew, and grows.
      const auto look = [&] { (void)cache.find(account, "a.b"); };
      test::fail_allocation_after(count);
      bool fits = fits_into_memory(look);
      fits = fits_into_memory(look) && fits;
      has_failed = test::stop_failing_allocations();
      ASSERT_TRUE(account.routing().insert("a.b", "", subscriptions[1]));
      ASSERT_TRUE(account.routing().insert("a.b", "group", subscriptions[2]));
      if (!has_failed) {
        test::fail_allocation_after(count / 2);
        fits = fits_into_memory(look);
        has_failed = test::stop_failing_allocations();
        EXPECT_EQ(fits, !has_failed);
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
    if (!has_failed) break;
  }
}

}  // namespace
}  // namespace martlet::broker
