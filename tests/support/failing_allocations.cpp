// SPDX-License-Identifier: Apache-2.0
//
// Owns when an allocation fails. That the operators ask here is done by failing_operators.cpp, or
// by failing_operators_tsan.cpp.
#include "tests/support/failing_allocations.hpp"

namespace martlet::test {
namespace {

constexpr int64_t never = -1;

/// How many allocations succeed before the one that fails.
thread_local int64_t successes_left = never;
thread_local bool has_failed = false;
thread_local bool goes_on_failing = false;

}  // namespace

bool fails_now() noexcept {
  if (successes_left == never) return false;
  if (successes_left-- > 0) return false;
  has_failed = true;
  if (goes_on_failing) successes_left = 0;
  return true;
}

void fail_allocation_after(int64_t count) {
  has_failed = false;
  goes_on_failing = false;
  successes_left = count;
}

void fail_allocations_from(int64_t count) {
  fail_allocation_after(count);
  goes_on_failing = true;
}

bool stop_failing_allocations() {
  successes_left = never;
  return has_failed;
}

}  // namespace martlet::test
