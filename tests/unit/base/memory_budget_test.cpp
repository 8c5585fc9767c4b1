// SPDX-License-Identifier: Apache-2.0
//
// Goal: as memory fills, the steps come in their order and go back in it; without a ceiling none
// comes. Method: the shares of a small ceiling, from both sides.
#include "base/memory_budget.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace martlet {
namespace {

std::string steps(const MemoryBudget& budget) {
  std::string taken;
  if (budget.caches_must_shrink()) taken += "caches ";
  if (budget.refuses_newcomers()) taken += "newcomers ";
  if (budget.producers_must_wait()) taken += "producers ";
  if (budget.slow_consumers_must_go()) taken += "consumers ";
  return taken;
}

TEST(MemoryBudget, the_order_of_refusal_holds_on_the_way_up_and_down) {
  MemoryBudget budget(1000);
  const std::vector<std::pair<int64_t, std::string>> expected = {
      {0, ""},
      {699, ""},
      {700, "caches "},
      {799, "caches "},
      {800, "caches newcomers "},
      {900, "caches newcomers producers "},
      {999, "caches newcomers producers "},
      {1000, "caches newcomers producers consumers "},
      {5000, "caches newcomers producers consumers "},
  };
  for (const auto& [bytes, taken] : expected) {
    budget.add(bytes - budget.bytes());
    EXPECT_EQ(steps(budget), taken) << bytes;
  }
  for (auto step = expected.rbegin(); step != expected.rend(); ++step) {
    budget.remove(budget.bytes() - step->first);
    EXPECT_EQ(steps(budget), step->second) << step->first;
  }
}

TEST(MemoryBudget, without_a_ceiling_nothing_is_refused) {
  MemoryBudget budget;
  budget.add(int64_t{1} << 50);
  EXPECT_EQ(steps(budget), "");
  EXPECT_EQ(budget.bytes(), int64_t{1} << 50);
}

TEST(MemoryBudget, threads_that_give_back_what_they_took_leave_nothing) {
  MemoryBudget budget(1000);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&budget] {
      for (int round = 0; round < 10000; ++round) {
        budget.add(3);
        budget.remove(3);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(budget.bytes(), 0);
}

}  // namespace
}  // namespace martlet
