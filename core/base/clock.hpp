// SPDX-License-Identifier: Apache-2.0
//
// Owns the interface through which everything above io learns the time. The real clock lives in io;
// tests and the simulator bring their own.
#pragma once

#include <cstdint>

namespace martlet {

constexpr int64_t ns_per_us = 1000;
constexpr int64_t ns_per_ms = 1000 * 1000;
constexpr int64_t ns_per_s = 1000 * 1000 * 1000;

class Clock {
 public:
  virtual ~Clock() = default;
  /// Nanoseconds that never go back; the zero is arbitrary.
  virtual int64_t monotonic_ns() const = 0;
  /// Nanoseconds since 1970-01-01T00:00:00Z.
  virtual int64_t wall_ns() const = 0;
};

}  // namespace martlet
