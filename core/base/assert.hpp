// SPDX-License-Identifier: Apache-2.0
//
// Owns MARTLET_ASSERT: an invariant of ours. It stays on in release builds and stops the process
// with the condition and its place. It is never used for anything that a client, a peer, a disk or
// a caller of the C ABI can cause.
#pragma once

namespace martlet {

/// Prints the broken invariant to standard error and aborts.
[[noreturn]] void assert_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace martlet

#define MARTLET_ASSERT(condition)                            \
  (__builtin_expect(!!(condition), 1) ? static_cast<void>(0) \
                                      : ::martlet::assert_failed(#condition, __FILE__, __LINE__))
