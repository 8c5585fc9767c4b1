// SPDX-License-Identifier: Apache-2.0
//
// Owns Go's way to write a span of time, which is NATS's in configuration and monitoring: `1m30s`,
// `250ms`, `-1.5h`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace martlet {

/// Nanoseconds. Refuses in Go's words: `time: unknown unit "x" in duration "5x"`.
Result<int64_t> parse_go_duration(std::string_view text);

/// As Go prints it: `2m0s`, `1.5s`, `20ms`, `0s`.
std::string format_go_duration(int64_t duration_ns);

}  // namespace martlet
