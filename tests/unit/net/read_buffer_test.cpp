// SPDX-License-Identifier: Apache-2.0
//
// Goal: a read buffer keeps what is in it and is charged for what it holds, no more and no less.
// Method: fixed cases, also with memory that cannot be had.
#include "net/read_buffer.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/out_of_memory.hpp"
#include "tests/support/failing_allocations.hpp"

namespace martlet::net {
namespace {

std::string text(ReadBuffer& buffer) { return {buffer.data(), buffer.size()}; }

TEST(ReadBuffer, keeps_its_bytes_when_it_grows) {
  MemoryBudget budget;
  ReadBuffer buffer(budget);
  EXPECT_TRUE(buffer.is_empty());
  EXPECT_EQ(budget.bytes(), 0);
  buffer.assign("abc");
  buffer.reserve(100'000);
  EXPECT_EQ(text(buffer), "abc");
  EXPECT_GE(buffer.capacity(), 100'000U);
  EXPECT_EQ(budget.bytes(), static_cast<int64_t>(buffer.capacity()));
  buffer.data()[3] = 'd';
  buffer.set_size(4);
  EXPECT_EQ(text(buffer), "abcd");
  buffer.assign(std::string(200'000, 'x'));
  EXPECT_EQ(text(buffer), std::string(200'000, 'x'));
  EXPECT_EQ(budget.bytes(), static_cast<int64_t>(buffer.capacity()));
  buffer.assign("y");
  EXPECT_EQ(text(buffer), "y");
  buffer.free();
  EXPECT_EQ(budget.bytes(), 0);
  buffer.assign("again");
  EXPECT_EQ(text(buffer), "again");
}

TEST(ReadBuffer, is_charged_once_when_it_moves) {
  MemoryBudget budget;
  {
    ReadBuffer buffer(budget);
    buffer.assign("abc");
    std::vector<ReadBuffer> held;
    held.push_back(std::move(buffer));
    EXPECT_EQ(text(held.back()), "abc");
    EXPECT_EQ(budget.bytes(), static_cast<int64_t>(held.back().capacity()));
    buffer.assign("new");
    EXPECT_EQ(text(held.back()), "abc");
    EXPECT_EQ(text(buffer), "new");
  }
  EXPECT_EQ(budget.bytes(), 0);
}

TEST(ReadBuffer, without_memory_it_stays_as_it_is) {
  MemoryBudget budget;
  ReadBuffer buffer(budget);
  buffer.assign("abc");
  const int64_t charged = budget.bytes();
  test::fail_allocation_after(0);
  const bool fits = fits_into_memory([&] { buffer.reserve(10'000); });
  EXPECT_TRUE(test::stop_failing_allocations());
  EXPECT_FALSE(fits);
  EXPECT_EQ(text(buffer), "abc");
  EXPECT_EQ(budget.bytes(), charged);
}

}  // namespace
}  // namespace martlet::net
