// SPDX-License-Identifier: Apache-2.0
//
// Goal: random bytes fill the whole buffer and differ from call to call.
#include "io/entropy.hpp"

#include <gtest/gtest.h>

#include <set>

namespace martlet::io {
namespace {

TEST(Entropy, SeedsDiffer) {
  std::set<uint64_t> seeds;
  for (int i = 0; i < 100; ++i) seeds.insert(random_seed());
  EXPECT_EQ(seeds.size(), 100u);
}

TEST(Entropy, FillsTheWholeBuffer) {
  unsigned char buffer[4096] = {};
  fill_random(buffer, sizeof buffer);
  int zeros = 0;
  for (size_t i = sizeof buffer - 64; i < sizeof buffer; ++i) zeros += buffer[i] == 0 ? 1 : 0;
  EXPECT_LT(zeros, 8);
}

}  // namespace
}  // namespace martlet::io
