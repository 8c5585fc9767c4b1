// SPDX-License-Identifier: Apache-2.0
//
// Owns the asyncio half of readers: what the event loop calls.
#pragma once

#include "reader.hpp"

namespace martlet::python {

/// Wakes the waiters, and runs the callbacks, of every reader that has something. On the loop's
/// thread, with the GIL.
void drain_notifier(Notifier& notifier);

}  // namespace martlet::python
