// SPDX-License-Identifier: Apache-2.0
//
// Goal: the newest closed connections are remembered within the bounds, and counted in the memory
// budget. Method: rows of known size until each bound is reached.
#include "server/closed_connections.hpp"

#include <gtest/gtest.h>

namespace martlet::server {
namespace {

ConnectionRow make_row(uint64_t cid, size_t name_bytes = 0) {
  ConnectionRow row;
  row.cid = cid;
  row.name = std::string(name_bytes, 'n');
  return row;
}

TEST(ClosedConnections, keeps_the_newest_oldest_first) {
  MemoryBudget budget;
  ClosedConnections closed(3, budget);
  for (uint64_t cid = 1; cid <= 5; cid++) closed.add(make_row(cid));
  const auto rows = closed.rows();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0]->cid, 3U);
  EXPECT_EQ(rows[2]->cid, 5U);
}

TEST(ClosedConnections, none_when_none_are_wanted) {
  MemoryBudget budget;
  ClosedConnections closed(-1, budget);
  closed.add(make_row(1));
  EXPECT_TRUE(closed.rows().empty());
  EXPECT_EQ(budget.bytes(), 0);
}

TEST(ClosedConnections, bytes_are_bounded_and_counted_until_the_end) {
  MemoryBudget budget;
  {
    ClosedConnections closed(10000, budget);
    for (uint64_t cid = 1; cid <= 100; cid++) closed.add(make_row(cid, 1024 * 1024));
    EXPECT_LE(budget.bytes(), static_cast<int64_t>(ClosedConnections::bytes_max));
    EXPECT_GT(budget.bytes(), 14 * 1024 * 1024);
    EXPECT_EQ(closed.rows().back()->cid, 100U);
    EXPECT_EQ(closed.rows().size(), 15U);
  }
  EXPECT_EQ(budget.bytes(), 0);
}

TEST(ClosedConnections, lets_go_of_everything_when_memory_is_short) {
  MemoryBudget budget(1'000'000);
  ClosedConnections closed(100, budget);
  closed.add(make_row(1));
  budget.add(800'000);
  closed.add(make_row(2));
  EXPECT_TRUE(closed.rows().empty());
  EXPECT_EQ(budget.bytes(), 800'000);
}

TEST(ClosedConnections, pages_keep_what_they_show) {
  MemoryBudget budget;
  ClosedConnections closed(1, budget);
  closed.add(make_row(1));
  const auto rows = closed.rows();
  closed.add(make_row(2));
  EXPECT_EQ(rows[0]->cid, 1U);
}

}  // namespace
}  // namespace martlet::server
