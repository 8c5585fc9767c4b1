// SPDX-License-Identifier: Apache-2.0
//
// Owns random bytes over getrandom.
#include "io/entropy.hpp"

#include <sys/random.h>

#include <cerrno>

#include "base/assert.hpp"

namespace martlet::io {

void fill_random(void* buffer, size_t bytes) {
  char* at = static_cast<char*>(buffer);
  while (bytes > 0) {
    const ssize_t got = getrandom(at, bytes, 0);
    if (got < 0 && errno == EINTR) continue;
    MARTLET_ASSERT(got > 0);
    at += got;
    bytes -= static_cast<size_t>(got);
  }
}

uint64_t random_seed() {
  uint64_t seed = 0;
  fill_random(&seed, sizeof seed);
  return seed;
}

}  // namespace martlet::io
