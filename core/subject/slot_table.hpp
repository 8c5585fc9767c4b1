// SPDX-License-Identifier: Apache-2.0
//
// Owns a hash table of 32-bit indexes in 16 bytes: open addressing over slots of {hash, index}, of
// which a single one needs no heap. Promises: growing and shrinking look at stored hashes alone, in
// order, so that a table of a million is rebuilt in milliseconds. Does not know what an index
// names; frees its slots only in clear().
#pragma once

#include <cstdint>

#include "subject/heap_account.hpp"

namespace martlet::subject {

class SlotTable {
 public:
  uint32_t count() const noexcept { return count_; }

  /// The index under `hash` for which `same(index)` holds, or 0.
  template <typename Same>
  uint32_t find(uint32_t hash, Same same) const noexcept {
    if (capacity_log2_ == 0)
      return count_ == 1 && only_.hash == hash && same(only_.index) ? only_.index : 0;
    const uint32_t mask = mask_of(capacity_log2_);
    for (uint32_t at = home(hash);; at = (at + 1) & mask) {
      const Slot slot = slots_[at];
      if (slot.index == 0) return 0;
      if (slot.hash == hash && same(slot.index)) return slot.index;
    }
  }

  /// Asks the processor for the memory in which find() begins.
  void prefetch(uint32_t hash) const noexcept {
    if (capacity_log2_ != 0) __builtin_prefetch(slots_ + home(hash));
  }

  /// Makes room for `more` insertions; false, and nothing changed, when memory could not be had.
  [[nodiscard]] bool reserve(uint32_t more, HeapAccount& heap) noexcept;
  /// After reserve. `index` is not 0 and not in the table.
  void insert(uint32_t hash, uint32_t index) noexcept;
  /// `index` is in the table under `hash`. A table that has become too large shrinks where memory
  /// can be had.
  void erase(uint32_t hash, uint32_t index, HeapAccount& heap) noexcept;
  /// Puts `index` where `old_index` is.
  void replace(uint32_t hash, uint32_t old_index, uint32_t index) noexcept;
  void clear(HeapAccount& heap) noexcept;

  template <typename Visit>
  void for_each(Visit visit) const {
    if (capacity_log2_ == 0) {
      if (count_ == 1) visit(only_.index);
      return;
    }
    for (uint32_t at = 0; at <= mask_of(capacity_log2_); ++at) {
      if (slots_[at].index != 0) visit(slots_[at].index);
    }
  }

 private:
  struct Slot {
    uint32_t hash;
    uint32_t index;  // 0: empty.
  };

  static uint32_t mask_of(uint32_t capacity_log2) noexcept {
    return (uint32_t{1} << capacity_log2) - 1;
  }
  static size_t bytes_of(uint32_t capacity_log2) noexcept { return sizeof(Slot) << capacity_log2; }

  // The top bits, so that slots in order of place are nearly in order of hash and a rebuild writes
  // forward.
  uint32_t home(uint32_t hash) const noexcept { return hash >> (32 - capacity_log2_); }
  uint32_t place_of(uint32_t hash, uint32_t index) const noexcept;
  void put(uint32_t hash, uint32_t index) noexcept;
  bool rebuild(uint32_t capacity_log2, HeapAccount& heap) noexcept;

  union {
    Slot only_ = {0, 0};
    Slot* slots_;
  };
  uint32_t count_ = 0;
  uint32_t capacity_log2_ = 0;  // 0: the single slot is in only_.
};

}  // namespace martlet::subject
