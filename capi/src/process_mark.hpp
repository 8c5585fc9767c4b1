// SPDX-License-Identifier: Apache-2.0
//
// Owns the knowledge whether a handle was made in this process or in one that it was forked from.
// Asking is one load.
#pragma once

#include "io/fork_guard.hpp"

namespace martlet::capi {

/// The guard of this process; a handle keeps the one it was made under. Throws when the system
/// refuses the page. It is never freed: handles point to it, and the page says the truth in every
/// child by itself.
const io::ForkGuard* process_guard();

}  // namespace martlet::capi
