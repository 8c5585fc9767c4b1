// SPDX-License-Identifier: Apache-2.0
//
// Owns what the system says of this process's use of the machine.
#pragma once

#include <cstdint>

namespace martlet::io {

struct ProcessUsage {
  int64_t resident_bytes = 0;
  int64_t cpu_ns = 0;  // Of all threads since the process began.
};

/// Zeros where the system does not tell.
ProcessUsage process_usage();
/// Processors that this process may run on, at least 1.
int32_t processor_count();

}  // namespace martlet::io
