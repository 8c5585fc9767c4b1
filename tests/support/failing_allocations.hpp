// SPDX-License-Identifier: Apache-2.0
//
// Memory that fails on demand, in the test program that martlet_failing_allocations (cmake/) names:
// every global operator new asks first. Only the thread that asked sees a failure; others go on.
#pragma once

#include <cstdint>

namespace martlet::test {

/// Asked by the operators before each allocation.
bool fails_now() noexcept;

/// `count` further allocations of this thread succeed, the next one fails, then all succeed again.
void fail_allocation_after(int64_t count);

/// The same, but after the first failure all fail until stop_failing_allocations().
void fail_allocations_from(int64_t count);

/// Nothing fails any more. True when the failure that was asked for has come.
bool stop_failing_allocations();

}  // namespace martlet::test
