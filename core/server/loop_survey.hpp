// SPDX-License-Identifier: Apache-2.0
//
// Owns the asking of all loops from a thread that is none of them. Each loop looks at its own
// connections, a slice at a time between its other work, so that no lock is needed and no loop is
// held up; the asking thread waits, with a bound.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/worker.hpp"

namespace martlet::server {

struct Run;

/// What is asked of one loop; everything here runs on that loop. The functions own what they write
/// to: when the wait is given up, a loop may still be writing.
struct SurveyPart {
  std::function<void(net::Worker&)> begin;  // Before the first connection. May be empty.
  std::function<bool(net::Connection&, size_t&)>
      visit;  // As in net::ConnectionWalk. Empty: no connections.
  std::function<void(net::Connection&)> on_connection_end;  // As there.
};

struct SurveyLimits {
  size_t slice_credit =
      500;  // Connections glanced at, or subscriptions copied, in one turn of a loop.
  int64_t wait_ns_max = 5'000'000'000;
};

/// Asks all loops at once, `parts[i]` the loop i; `clock` measures the wait. Ok: all have answered,
/// and everything they wrote is visible here. Fails with timeout, with closed when the run ends
/// meanwhile, or with out_of_memory when a loop had none for it; then nothing that the parts write
/// to may be read.
Status survey_loops(Run& run, const Clock& clock, std::vector<SurveyPart> parts,
                    const SurveyLimits& limits = SurveyLimits{});

}  // namespace martlet::server
