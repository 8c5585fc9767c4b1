// SPDX-License-Identifier: Apache-2.0
//
// Owns the knowledge of whether this process is the one that made an object, or a fork of it. An
// object that must be inert in a child holds a guard and asks it; asking is one load, never a
// system call.
#pragma once

#include <cstdint>

#include "base/result.hpp"

namespace martlet::io {

/// The page behind a guard is zeroed by the kernel in every child (MADV_WIPEONFORK), and in the
/// children of children.
class ForkGuard {
 public:
  /// Fails with out_of_memory, or unsupported on a kernel that cannot wipe pages (before
  /// Linux 4.14).
  static Result<ForkGuard> create();

  ForkGuard(ForkGuard&& other) noexcept : page_(other.page_) { other.page_ = nullptr; }
  ForkGuard& operator=(ForkGuard&& other) noexcept;
  ~ForkGuard();

  /// False in the process that made the guard, true in any process forked from it since.
  bool is_forked() const { return *page_ == 0; }

 private:
  explicit ForkGuard(volatile const uint32_t* page) : page_(page) {}
  void unmap();
  volatile const uint32_t* page_;
};

}  // namespace martlet::io
