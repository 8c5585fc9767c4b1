// SPDX-License-Identifier: Apache-2.0
//
// Owns the arithmetic of the Gregorian calendar.
#include "base/civil_time.hpp"

namespace martlet {
namespace {

constexpr int64_t ns_per_second = 1'000'000'000;
constexpr int64_t seconds_per_day = 86400;
constexpr int64_t days_per_era = 146097;  // 400 years, after which the calendar repeats.

int64_t floor_divide(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

}  // namespace

CivilTime civil_time(int64_t wall_ns) {
  const int64_t seconds = floor_divide(wall_ns, ns_per_second);
  const int64_t days = floor_divide(seconds, seconds_per_day);
  const int64_t second_of_day = seconds - days * seconds_per_day;
  CivilTime time;
  time.nanosecond = static_cast<int32_t>(wall_ns - seconds * ns_per_second);
  time.hour = static_cast<int32_t>(second_of_day / 3600);
  time.minute = static_cast<int32_t>(second_of_day / 60 % 60);
  time.second = static_cast<int32_t>(second_of_day % 60);
  time.weekday = static_cast<int32_t>(((days + 4) % 7 + 7) % 7);
  // Years begin in March here, so that the leap day is the last of its year.
  const int64_t shifted = days + 719468;
  const int64_t era = floor_divide(shifted, days_per_era);
  const int64_t day_of_era = shifted - era * days_per_era;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month_from_march = (5 * day_of_year + 2) / 153;
  time.day = static_cast<int32_t>(day_of_year - (153 * month_from_march + 2) / 5 + 1);
  time.month =
      static_cast<int32_t>(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
  time.year = static_cast<int32_t>(year_of_era + era * 400 + (time.month <= 2 ? 1 : 0));
  return time;
}

}  // namespace martlet
