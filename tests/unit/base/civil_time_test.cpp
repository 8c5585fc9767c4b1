// SPDX-License-Identifier: Apache-2.0
//
// Goal: dates are right, also around leap days and before 1970. Method: known moments, and every
// day of 550 years against a calendar that counts days one by one.
#include "base/civil_time.hpp"

#include <gtest/gtest.h>

namespace martlet {
namespace {

constexpr int64_t ns = 1'000'000'000;

TEST(CivilTime, known_moments) {
  const CivilTime epoch = civil_time(0);
  EXPECT_EQ(epoch.year, 1970);
  EXPECT_EQ(epoch.month, 1);
  EXPECT_EQ(epoch.day, 1);
  EXPECT_EQ(epoch.weekday, 4);
  const CivilTime leap =
      civil_time(951'827'696LL * ns + 7);  // 2000-02-29T12:34:56.000000007Z, a Tuesday.
  EXPECT_EQ(leap.year, 2000);
  EXPECT_EQ(leap.month, 2);
  EXPECT_EQ(leap.day, 29);
  EXPECT_EQ(leap.hour, 12);
  EXPECT_EQ(leap.minute, 34);
  EXPECT_EQ(leap.second, 56);
  EXPECT_EQ(leap.nanosecond, 7);
  EXPECT_EQ(leap.weekday, 2);
}

TEST(CivilTime, a_moment_before_the_epoch_is_the_end_of_the_day_before) {
  const CivilTime time = civil_time(-1);
  EXPECT_EQ(time.year, 1969);
  EXPECT_EQ(time.month, 12);
  EXPECT_EQ(time.day, 31);
  EXPECT_EQ(time.second, 59);
  EXPECT_EQ(time.nanosecond, 999'999'999);
  EXPECT_EQ(time.weekday, 3);
}

TEST(CivilTime, every_day_from_1700_to_2250_follows_the_one_before) {
  const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int32_t year = 1700;
  int32_t month = 1;
  int32_t day = 1;
  int64_t at = -98615;  // Days from 1700-01-01 to 1970-01-01.
  for (; year < 2250; at++) {
    const CivilTime time = civil_time(at * 86400 * ns);
    ASSERT_EQ(time.year, year);
    ASSERT_EQ(time.month, month);
    ASSERT_EQ(time.day, day);
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    const int days = month_days[month - 1] + (month == 2 && leap ? 1 : 0);
    if (++day > days) {
      day = 1;
      if (++month > 12) {
        month = 1;
        year += 1;
      }
    }
  }
}

}  // namespace
}  // namespace martlet
