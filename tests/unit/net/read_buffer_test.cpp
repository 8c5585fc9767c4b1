// SPDX-License-Identifier: Apache-2.0
//
// Goal: a read buffer keeps what is in it and is charged for what it holds, no more and no less.
// Method: fixed cases, also with memory that cannot be had.
#include "net/read_buffer.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "base/out_of_memory.hpp"
#include "tests/support/failing_allocations.hpp"

namespace martlet::net {
namespace {

std::string text(ReadBuffer& buffer) { return {buffer.data(), buffer.size()}; }

int64_t charge_of(const ReadBuffer& buffer) {
  return static_cast<int64_t>(sizeof(broker::Chunk) + buffer.capacity());
}

TEST(ReadBuffer, keeps_its_bytes_when_it_grows) {
  MemoryBudget budget;
  broker::ChunkPool pool(budget);
  ReadBuffer buffer(pool);
  EXPECT_TRUE(buffer.is_empty());
  EXPECT_EQ(budget.bytes(), 0);
  buffer.assign("abc", 0);
  buffer.reserve(100'000, 0);
  EXPECT_EQ(text(buffer), "abc");
  EXPECT_GE(buffer.capacity(), 100'000U);
  EXPECT_EQ(budget.bytes(), charge_of(buffer));
  buffer.data()[3] = 'd';
  buffer.set_size(4);
  EXPECT_EQ(text(buffer), "abcd");
  buffer.assign(std::string(200'000, 'x'), 0);
  EXPECT_EQ(text(buffer), std::string(200'000, 'x'));
  EXPECT_EQ(budget.bytes(), charge_of(buffer));
  buffer.assign("y", 0);
  EXPECT_EQ(text(buffer), "y");
  buffer.free();
  EXPECT_EQ(budget.bytes(), 0);
  buffer.assign("again", 0);
  EXPECT_EQ(text(buffer), "again");
}

TEST(ReadBuffer, holds_no_more_than_has_arrived_where_nothing_is_kept) {
  MemoryBudget budget;
  broker::ChunkPool pool(budget);
  ReadBuffer buffer(pool);
  buffer.assign(std::string(100'000, 'x'), 1'000'000);
  EXPECT_EQ(buffer.capacity(), 100'000U);
  buffer.reserve(1'000'000, 1'000'000);
  EXPECT_FALSE(pool.keeps_large()) << "what it has outgrown is not kept";
  const char* const memory = buffer.data();
  buffer.free();
  buffer.assign(std::string(100'000, 'y'), 1'000'000);
  EXPECT_EQ(buffer.data(), memory) << "what was freed is kept for the next";
  EXPECT_EQ(buffer.capacity(), 1'000'000U);
  EXPECT_EQ(budget.bytes(), charge_of(buffer));
}

TEST(ReadBuffer, is_charged_until_the_lending_ends) {
  MemoryBudget budget;
  broker::ChunkPool pool(budget);
  ReadBuffer buffer(pool);
  EXPECT_EQ(buffer.lend(), "");
  buffer.assign("abc", 0);
  const int64_t charged = budget.bytes();
  const std::string_view lent = buffer.lend();
  EXPECT_EQ(lent, "abc");
  EXPECT_TRUE(buffer.is_empty());
  EXPECT_EQ(buffer.capacity(), 0U);
  EXPECT_EQ(budget.bytes(), charged);
  buffer.assign("new", 0);
  EXPECT_EQ(lent, "abc");
  EXPECT_EQ(text(buffer), "new");
  pool.end_lending();
  EXPECT_EQ(budget.bytes(), charge_of(buffer));
}

TEST(ReadBuffer, without_memory_it_stays_as_it_is) {
  MemoryBudget budget;
  broker::ChunkPool pool(budget);
  ReadBuffer buffer(pool);
  buffer.assign("abc", 0);
  const int64_t charged = budget.bytes();
  test::fail_allocation_after(0);
  const bool fits = fits_into_memory([&] { buffer.reserve(10'000, 0); });
  EXPECT_TRUE(test::stop_failing_allocations());
  EXPECT_FALSE(fits);
  EXPECT_EQ(text(buffer), "abc");
  EXPECT_EQ(budget.bytes(), charged);
}

}  // namespace
}  // namespace martlet::net
