// SPDX-License-Identifier: Apache-2.0
//
// Owns an array of pointers in 16 bytes, of which a single one needs no heap. Order is not kept:
// removal puts the last in the hole. Does not own what is pointed at, and frees its array only in
// clear().
#pragma once

#include <cstdint>
#include <cstring>

#include "base/assert.hpp"
#include "subject/heap_account.hpp"

namespace martlet::subject {

template <typename T>
class PointerList {
 public:
  uint32_t size() const noexcept { return size_; }
  T* const* data() const noexcept { return capacity_ == 0 ? &one_ : many_; }
  T* operator[](uint32_t i) const noexcept { return data()[i]; }

  /// Makes room for one more; false when memory could not be had.
  [[nodiscard]] bool reserve_one(HeapAccount& heap) noexcept {
    if (capacity_ == 0 ? size_ == 0 : size_ < capacity_) return true;
    if (size_ > UINT32_MAX / 2) return false;
    return resize(heap, capacity_ == 0 ? 4 : capacity_ * 2);
  }

  /// After reserve_one. Returns the place.
  uint32_t push(T* item) noexcept {
    if (capacity_ == 0) {
      one_ = item;
    } else {
      many_[size_] = item;
    }
    return size_++;
  }

  /// Takes out the item at `i` and returns the one that is there now, null when it was the last. An
  /// array that has become too large shrinks where memory can be had.
  T* remove(uint32_t i, HeapAccount& heap) noexcept {
    MARTLET_ASSERT(i < size_);
    --size_;
    if (capacity_ == 0) return nullptr;
    T* const moved = i == size_ ? nullptr : many_[size_];
    if (moved != nullptr) many_[i] = moved;
    if (size_ <= 1) {
      T* const left = size_ == 1 ? many_[0] : nullptr;
      heap.release(many_, capacity_ * sizeof(T*));
      capacity_ = 0;
      one_ = left;
    } else if (size_ * 4 <= capacity_ && capacity_ > 4) {
      static_cast<void>(resize(heap, capacity_ / 2));
    }
    return moved;
  }

  void clear(HeapAccount& heap) noexcept {
    if (capacity_ != 0) heap.release(many_, capacity_ * sizeof(T*));
    one_ = nullptr;
    size_ = 0;
    capacity_ = 0;
  }

 private:
  bool resize(HeapAccount& heap, uint32_t capacity) noexcept {
    T** const array = static_cast<T**>(heap.allocate(capacity * sizeof(T*)));
    if (array == nullptr) return false;
    std::memcpy(array, data(), size_ * sizeof(T*));
    if (capacity_ != 0) heap.release(many_, capacity_ * sizeof(T*));
    many_ = array;
    capacity_ = capacity;
    return true;
  }

  union {
    T* one_ = nullptr;
    T** many_;
  };
  uint32_t size_ = 0;
  uint32_t capacity_ = 0;  // 0: the single item is in one_.
};

}  // namespace martlet::subject
