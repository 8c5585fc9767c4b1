// SPDX-License-Identifier: Apache-2.0
//
// Goal: durations read and print as Go's do, errors included. Method: tables.
#include "base/go_duration.hpp"

#include <gtest/gtest.h>

namespace martlet {
namespace {

TEST(GoDuration, reads) {
  const std::pair<const char*, int64_t> cases[] = {{"1m30s", 90'000'000'000},
                                                   {"250ms", 250'000'000},
                                                   {"-1.5h", -5'400'000'000'000},
                                                   {"0", 0},
                                                   {".5s", 500'000'000},
                                                   {"1us", 1000},
                                                   {"1µs", 1000},
                                                   {"3ns", 3},
                                                   {"+2m", 120'000'000'000},
                                                   {"1.s", 1'000'000'000},
                                                   {"2562047h47m16.854775807s", INT64_MAX},
                                                   {"-2562047h47m16.854775808s", INT64_MIN}};
  for (const auto& [text, ns] : cases) {
    const Result<int64_t> read = parse_go_duration(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(*read, ns) << text;
  }
}

TEST(GoDuration, refuses_in_gos_words) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "time: invalid duration \"\""},
      {"5", "time: missing unit in duration \"5\""},
      {"5x", "time: unknown unit \"x\" in duration \"5x\""},
      {"1d", "time: unknown unit \"d\" in duration \"1d\""},
      {"s", "time: invalid duration \"s\""},
      {".s", "time: invalid duration \".s\""},
      {"-", "time: invalid duration \"-\""},
      {"3000000h", "time: invalid duration \"3000000h\""},
      {"2562047h47m16.854775808s", "time: invalid duration \"2562047h47m16.854775808s\""},
      {"99999999999999999999s", "time: invalid duration \"99999999999999999999s\""}};
  for (const auto& [text, sentence] : cases) {
    const Result<int64_t> read = parse_go_duration(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().context, sentence);
  }
}

TEST(GoDuration, prints) {
  EXPECT_EQ(format_go_duration(0), "0s");
  EXPECT_EQ(format_go_duration(120'000'000'000), "2m0s");
  EXPECT_EQ(format_go_duration(1'500'000'000), "1.5s");
  EXPECT_EQ(format_go_duration(20'000'000), "20ms");
  EXPECT_EQ(format_go_duration(1'500), "1.5µs");
  EXPECT_EQ(format_go_duration(7), "7ns");
  EXPECT_EQ(format_go_duration(-3'600'000'000'000), "-1h0m0s");
  EXPECT_EQ(format_go_duration(INT64_MIN), "-2562047h47m16.854775808s");
}

}  // namespace
}  // namespace martlet
