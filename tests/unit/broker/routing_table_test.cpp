// SPDX-License-Identifier: Apache-2.0
//
// Goal: a change is seen by every subject it can match, and by few others. Method: random patterns
// and subjects against the plain matching rule, and fixed cases of churn elsewhere.
#include "broker/routing_table.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "broker/subscription.hpp"
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

TEST(RoutingTable, counts_what_it_takes_where_it_is_told_to) {
  MemoryBudget first;
  MemoryBudget second;
  RoutingTable table(42);
  Subscription early;
  ASSERT_TRUE(table.insert("before.anybody.asked", "", &early));
  table.charge_to(&first);
  EXPECT_EQ(first.bytes(), static_cast<int64_t>(table.memory_bytes()));
  std::vector<Subscription> many(1000);
  for (size_t i = 0; i < many.size(); i++) {
    ASSERT_TRUE(table.insert(std::string(200, 'a') + std::to_string(i) + ".>", "q", &many[i]));
  }
  EXPECT_EQ(first.bytes(), static_cast<int64_t>(table.memory_bytes()));
  EXPECT_GT(first.bytes(), 1000 * 200);
  table.charge_to(&second);
  EXPECT_EQ(first.bytes(), 0);
  EXPECT_EQ(second.bytes(), static_cast<int64_t>(table.memory_bytes()));
  for (Subscription& subscription : many) table.remove(&subscription);
  table.remove(&early);
  EXPECT_EQ(second.bytes(), static_cast<int64_t>(table.memory_bytes()));
  EXPECT_LT(second.bytes(), 1000 * 200);
  table.charge_to(nullptr);
  EXPECT_EQ(second.bytes(), 0);
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

}  // namespace
}  // namespace martlet::broker
