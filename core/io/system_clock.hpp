// SPDX-License-Identifier: Apache-2.0
//
// Owns the real clock. Everything above io gets it as a base Clock.
#pragma once

#include "base/clock.hpp"

namespace martlet::io {

class SystemClock final : public Clock {
 public:
  int64_t monotonic_ns() const override;
  int64_t wall_ns() const override;
};

}  // namespace martlet::io
