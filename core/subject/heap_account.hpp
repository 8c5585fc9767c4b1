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

  /// `bytes` as given to allocate. A null pointer is allowed with 0.
  void release(void* memory, size_t bytes) noexcept {
    bytes_held_ -= bytes;
    ::operator delete(memory);
  }

  size_t bytes_held() const noexcept { return bytes_held_; }

 private:
  size_t bytes_held_ = 0;
};

}  // namespace martlet::subject
