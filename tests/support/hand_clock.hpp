// SPDX-License-Identifier: Apache-2.0
//
// A clock that stands still until a test moves it.
#pragma once

#include "base/clock.hpp"

namespace martlet::test {

struct HandClock final : Clock {
  int64_t monotonic_ns() const override { return now_ns; }
  int64_t wall_ns() const override { return now_ns; }
  int64_t now_ns = ns_per_s;
};

}  // namespace martlet::test
