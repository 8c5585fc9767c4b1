// SPDX-License-Identifier: Apache-2.0
//
// Owns the calls for chance and cores.
#include "io/entropy.hpp"

#include <sched.h>
#include <sys/random.h>

#include "base/assert.hpp"

namespace martlet::io {

void fill_random(void* bytes, size_t count) {
  char* at = static_cast<char*>(bytes);
  while (count > 0) {
    const ssize_t got = getrandom(at, count, 0);
    if (got < 0) continue;  // Interrupted; it cannot fail otherwise with these arguments.
    at += got;
    count -= static_cast<size_t>(got);
  }
}

uint64_t random_seed() {
  uint64_t seed = 0;
  fill_random(&seed, sizeof seed);
  return seed;
}

int usable_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof cores, &cores) != 0) return 1;
  const int count = CPU_COUNT(&cores);
  return count < 1 ? 1 : count;
}

}  // namespace martlet::io
