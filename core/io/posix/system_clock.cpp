// SPDX-License-Identifier: Apache-2.0
//
// Reads the clocks of the system.
#include "io/system_clock.hpp"

#include <time.h>

namespace martlet::io {
namespace {

int64_t read_clock(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return static_cast<int64_t>(now.tv_sec) * ns_per_s + now.tv_nsec;
}

}  // namespace

int64_t SystemClock::monotonic_ns() const { return read_clock(CLOCK_MONOTONIC); }
int64_t SystemClock::wall_ns() const { return read_clock(CLOCK_REALTIME); }

}  // namespace martlet::io
