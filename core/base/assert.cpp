// SPDX-License-Identifier: Apache-2.0
//
// Owns the end of a process whose invariant broke.
#include "base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace martlet {

void assert_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "martlet: broken invariant at %s:%d: %s\n", file, line, condition);
  std::abort();
}

}  // namespace martlet
