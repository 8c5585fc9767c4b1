// SPDX-License-Identifier: Apache-2.0
//
// Goal: memory and processor time of this process are seen to grow. Method: use some, ask again.
#include "io/process_usage.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace martlet::io {
namespace {

TEST(ProcessUsage, memory_that_is_used_shows) {
  ASSERT_GT(process_usage().resident_bytes, 0);
  // Absolute, not a difference: under a sanitizer the memory before may shrink by itself meanwhile.
  constexpr int64_t used_bytes = 256 * 1024 * 1024;
  const std::vector<char> used(used_bytes, 'x');
  // Read through volatile, or the compiler sees that nobody needs the memory and takes none.
  const volatile char* const last = used.data() + used_bytes - 1;
  EXPECT_GE(process_usage().resident_bytes, used_bytes / 2);
  EXPECT_EQ(*last, 'x');
}

TEST(ProcessUsage, work_that_is_done_shows) {
  const int64_t before = process_usage().cpu_ns;
  uint64_t sum = 1;
  while (process_usage().cpu_ns < before + 20'000'000) {
    for (uint64_t i = 1; i < 100000; i++) sum = sum * 31 + i;
  }
  EXPECT_NE(sum, 0U);
}

TEST(ProcessUsage, there_is_a_processor) { EXPECT_GE(processor_count(), 1); }

}  // namespace
}  // namespace martlet::io
