// SPDX-License-Identifier: Apache-2.0
//
// Owns bytes that nobody can guess, from the system: for names of inboxes and for seeds.
#pragma once

#include <cstddef>
#include <cstdint>

namespace martlet::io {

/// Never fails: a system without random bytes cannot run this code (asserted).
void fill_random(void* buffer, size_t bytes);
uint64_t random_seed();

}  // namespace martlet::io
