// SPDX-License-Identifier: Apache-2.0
//
// Owns the count of heap bytes that one structure holds. Every allocation of the trie passes here:
// one that fails is a null pointer, never an exception. Counts what was asked for, not what the
// allocator adds.
#pragma once

#include <cstddef>
#include <new>

namespace martlet::subject {

class HeapAccount {
 public:
  [[nodiscard]] void* allocate(size_t bytes) noexcept {
    void* const memory = ::operator new(bytes, std::nothrow);
    if (memory != nullptr) bytes_held_ += bytes;
    return memory;
  }

  /// As allocate, at the start of a cache line, so that no 32-byte object lies across two.
  [[nodiscard]] void* allocate_lines(size_t bytes) noexcept {
    void* const memory = ::operator new(bytes, std::align_val_t{line_bytes}, std::nothrow);
    if (memory != nullptr) bytes_held_ += bytes;
    return memory;
  }
  void release_lines(void* memory, size_t bytes) noexcept {
    bytes_held_ -= bytes;
    ::operator delete(memory, std::align_val_t{line_bytes});
  }

  /// `bytes` as given to allocate. A null pointer is allowed with 0.
  void release(void* memory, size_t bytes) noexcept {
    bytes_held_ -= bytes;
    ::operator delete(memory);
  }

  size_t bytes_held() const noexcept { return bytes_held_; }

 private:
  static constexpr size_t line_bytes = 64;

  size_t bytes_held_ = 0;
};

}  // namespace martlet::subject
