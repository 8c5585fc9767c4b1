// SPDX-License-Identifier: Apache-2.0
//
// Owns the sweep of tests about memory: a piece of work is done again and again, and each time
// another one of its allocations fails, until none does. In test programs that
// martlet_failing_allocations (cmake/) names.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "tests/support/failing_allocations.hpp"

namespace martlet::test {

enum class Failing : uint8_t { once, for_good };

/// The memory of one round of a sweep: `count` allocations succeed, the next one fails, and all
/// after it if it fails for good.
class FailingMemory {
 public:
  FailingMemory(int64_t count, Failing failing) : count_(count), failing_(failing) {}
  FailingMemory(const FailingMemory&) = delete;
  FailingMemory& operator=(const FailingMemory&) = delete;

  /// Does `work` with this memory. Answers whether an allocation has failed.
  template <typename Work>
  bool during(Work&& work) {
    {
      const Ending ending{*this};
      begin();
      work();
    }
    return has_failed_;
  }
  /// The same in two parts, for work that begins and ends in callbacks: both by the thread that
  /// does it.
  void begin() const {
    failing_ == Failing::once ? fail_allocation_after(count_) : fail_allocations_from(count_);
  }
  void end() { has_failed_ = stop_failing_allocations() || has_failed_; }
  bool has_failed() const { return has_failed_; }

 private:
  struct Ending {
    FailingMemory& memory;
    ~Ending() { memory.end(); }
  };

  const int64_t count_;
  const Failing failing_;
  bool has_failed_ = false;
};

/// More allocations than any work of a test does.
constexpr int64_t failures_max = 2000;

/// Calls `round(memory)` with memory that fails ever later, until it has not failed or the test
/// has. A round makes what it needs, does its work in memory.during(), and checks. Answers how many
/// rounds have seen a failure, for the caller to check: work that takes no memory proves nothing.
template <typename Round>
[[nodiscard]] int64_t fail_each_allocation(Failing failing, Round&& round) {
  for (int64_t count = 0; count < failures_max; ++count) {
    SCOPED_TRACE("memory fails after " + std::to_string(count) + " allocations" +
                 (failing == Failing::for_good ? " for good" : ""));
    FailingMemory memory(count, failing);
    round(memory);
    if (!memory.has_failed() || ::testing::Test::HasFailure()) return count;
  }
  ADD_FAILURE() << "memory fails without end";
  return failures_max;
}

}  // namespace martlet::test
