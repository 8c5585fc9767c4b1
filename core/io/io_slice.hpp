// SPDX-License-Identifier: Apache-2.0
//
// Owns the piece of memory that a gathering write takes. Laid out like the system's iovec, so that
// an array of it needs no copy; io/posix/socket.cpp asserts this.
#pragma once

#include <cstddef>

namespace martlet::io {

struct IoSlice {
  const void* data;
  size_t bytes;
};

}  // namespace martlet::io
