// SPDX-License-Identifier: Apache-2.0
//
// Owns the system's source of chance: for names and for the keys of hashes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace martlet::io {

/// Fills with bytes nobody can foresee.
void fill_random(void* bytes, size_t count);
uint64_t random_seed();
/// Cores that this process may use; at least 1.
int usable_cores();

}  // namespace martlet::io
