// SPDX-License-Identifier: Apache-2.0
//
// Owns the limits and rules that sessions work by: an immutable snapshot that each loop holds
// whole and gives to the sessions that begin on it. A reload is a new snapshot for each loop, never
// a field changed in place.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace martlet::broker {

struct SessionOptions {
  int64_t control_line_bytes_max = 4096;
  int64_t payload_bytes_max = 1024 * 1024;  // -1: none.
  int64_t pending_bytes_max =
      64 * 1024 * 1024;            // Per connection; above it the slow-consumer rule applies.
  int64_t subscriptions_max = 0;   // Per connection; 0: no limit.
  int64_t subject_tokens_max = 0;  // Of a subscription; 0: no limit.
  int64_t ping_interval_ns = 120'000'000'000;
  int64_t pings_out_max = 2;
  int64_t auth_timeout_ns = 2'000'000'000;
  int64_t write_deadline_ns = 10'000'000'000;
  bool headers = true;
  bool auth_required = false;
  bool stalls_producers = true;  // False: no_fast_producer_stall.
  bool trace = false;
};

using SessionOptionsSnapshot =
    std::shared_ptr<const SessionOptions>;  // Shared by the loops and the sessions under way.

}  // namespace martlet::broker
