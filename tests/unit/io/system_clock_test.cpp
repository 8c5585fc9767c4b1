// SPDX-License-Identifier: Apache-2.0
//
// Goal: the real clock runs forwards, in nanoseconds, and its wall time is today's. Method:
// compared with the standard library's clocks.
#include "io/system_clock.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace martlet::io {
namespace {

TEST(SystemClock, monotonic_time_never_goes_back) {
  const SystemClock clock;
  int64_t before = clock.monotonic_ns();
  for (int i = 0; i < 1000; ++i) {
    const int64_t now = clock.monotonic_ns();
    ASSERT_GE(now, before);
    before = now;
  }
}

TEST(SystemClock, monotonic_time_counts_nanoseconds) {
  const SystemClock clock;
  const int64_t start = clock.monotonic_ns();
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const int64_t passed = clock.monotonic_ns() - start;
  EXPECT_GE(passed, 5 * ns_per_ms);
  EXPECT_LT(passed, 60 * ns_per_s);
}

TEST(SystemClock, wall_time_is_the_time_since_1970) {
  const SystemClock clock;
  const auto since_1970 = [] {
    return std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count();
  };
  const int64_t before = since_1970();
  const int64_t wall = clock.wall_ns();
  const int64_t after = since_1970();
  // A step of the system's clock in between would be the only excuse; allow it a second.
  EXPECT_GE(wall, before - ns_per_s);
  EXPECT_LE(wall, after + ns_per_s);
}

}  // namespace
}  // namespace martlet::io
