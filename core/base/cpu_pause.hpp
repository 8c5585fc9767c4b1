// SPDX-License-Identifier: Apache-2.0
//
// Owns the instruction that a loop without sleep repeats.
#pragma once

namespace martlet {

/// Tells the processor that this thread only looks again and again: the other thread of its core
/// gets more of it.
inline void cpu_pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace martlet
