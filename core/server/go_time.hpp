// SPDX-License-Identifier: Apache-2.0
//
// Owns the look of moments and spans of time on the monitoring pages: RFC 3339 with nanoseconds,
// and uptimes like 3d2h1m5s.
#pragma once

#include <cstdint>
#include <string>

namespace martlet::server {

/// "2026-11-24T08:02:14.946528158Z"; a fraction without its zeros at the end, none at all for a
/// whole second.
std::string format_wall_time(int64_t wall_ns);
/// Whole seconds, in years, days, hours, minutes and seconds: "0s", "2m5s", "1y0d3h0m1s". Nothing
/// below zero.
std::string format_uptime(int64_t duration_ns);
/// As a duration, cut to microseconds where it is below a millisecond: "466µs", "1.25ms", "0s".
std::string format_rtt(int64_t rtt_ns);

}  // namespace martlet::server
