// SPDX-License-Identifier: Apache-2.0
//
// Goal: times read as nats-server prints them. Method: texts that it printed.
#include "server/go_time.hpp"

#include <gtest/gtest.h>

namespace martlet::server {
namespace {

constexpr int64_t s = 1'000'000'000;

TEST(GoTime, moments_have_no_needless_zeros) {
  EXPECT_EQ(format_wall_time(1'795'507'334LL * s + 946'528'158), "2026-11-24T08:02:14.946528158Z");
  EXPECT_EQ(format_wall_time(1'795'507'334LL * s + 500'000'000), "2026-11-24T08:02:14.5Z");
  EXPECT_EQ(format_wall_time(1'795'507'334LL * s), "2026-11-24T08:02:14Z");
  EXPECT_EQ(format_wall_time(7), "1970-01-01T00:00:00.000000007Z");
}

TEST(GoTime, uptimes_begin_with_the_largest_unit) {
  EXPECT_EQ(format_uptime(0), "0s");
  EXPECT_EQ(format_uptime(-5 * s), "0s");
  EXPECT_EQ(format_uptime(59 * s + 999'999'999), "59s");
  EXPECT_EQ(format_uptime(14 * 60 * s + 34 * s), "14m34s");
  EXPECT_EQ(format_uptime(3600 * s), "1h0m0s");
  EXPECT_EQ(format_uptime(86400 * s), "1d0h0m0s");
  EXPECT_EQ(format_uptime((366 * 86400 + 3600 + 61) * s), "1y1d1h1m1s");
}

TEST(GoTime, round_trips_below_a_millisecond_are_cut_to_microseconds) {
  EXPECT_EQ(format_rtt(466'789), "466µs");
  EXPECT_EQ(format_rtt(1'250'000), "1.25ms");
  EXPECT_EQ(format_rtt(900), "900ns");
  EXPECT_EQ(format_rtt(0), "0s");
}

}  // namespace
}  // namespace martlet::server
