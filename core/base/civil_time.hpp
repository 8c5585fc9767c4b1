// SPDX-License-Identifier: Apache-2.0
//
// Owns the way from nanoseconds since 1970 to a date and a time of day in UTC. No time zone, no
// leap second, no system call.
#pragma once

#include <cstdint>

namespace martlet {

struct CivilTime {
  int32_t year = 1970;
  int32_t month = 1;  // 1 to 12
  int32_t day = 1;    // 1 to 31
  int32_t hour = 0;
  int32_t minute = 0;
  int32_t second = 0;
  int32_t nanosecond = 0;
  int32_t weekday = 4;  // 0 is Sunday.
};

/// `wall_ns` counts from 1970-01-01T00:00:00Z and may be negative.
CivilTime civil_time(int64_t wall_ns);

}  // namespace martlet
