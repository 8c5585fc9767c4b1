// SPDX-License-Identifier: Apache-2.0
//
// Owns the memory of a trie's small objects: 32 to 256 bytes in steps of 16, each named by a 32-bit
// index and never moved. Promises: an index becomes an address by one look into a small table; a
// slab whose objects are all released goes back to the heap, except one in each size. Constructs
// and destroys nothing.
#pragma once

#include <cstddef>
#include <cstdint>

#include "subject/heap_account.hpp"

namespace martlet::subject {

class SlabArena {
 public:
  static constexpr uint32_t granule_bytes = 16;
  static constexpr uint32_t granules_min = 2;
  static constexpr uint32_t granules_max = 16;

  explicit SlabArena(HeapAccount& heap) noexcept : heap_(heap) {}
  ~SlabArena();
  SlabArena(const SlabArena&) = delete;
  SlabArena& operator=(const SlabArena&) = delete;

  /// An object of `granules` times 16 bytes, its bytes undefined, or 0 when memory could not be
  /// had.
  [[nodiscard]] uint32_t allocate(uint32_t granules) noexcept;
  void release(uint32_t index) noexcept;

  /// Where the object is; `index` comes from allocate.
  void* at(uint32_t index) const noexcept {
    return bases_[index >> slab_index_bits] + size_t{index & slab_index_mask} * granule_bytes;
  }

  uint64_t objects() const noexcept { return objects_; }

 private:
  static constexpr uint32_t slab_index_bits = 10;
  static constexpr uint32_t slab_index_mask = (uint32_t{1} << slab_index_bits) - 1;
  static constexpr uint32_t slabs_max = uint32_t{1} << (32 - slab_index_bits);

  /// Released objects are chained through their first bytes; those from `fresh` on were never given
  /// out.
  struct Slab {
    uint32_t previous;  // In the list of slabs of this size that have room; 0 ends it.
    uint32_t next;      // Also chains the free slab numbers.
    uint16_t free;      // Object number plus one; 0: none.
    uint16_t fresh;
    uint16_t used;
    uint16_t capacity;
    uint16_t granules;
  };

  bool add_slab(uint32_t granules) noexcept;
  bool grow_directory() noexcept;
  void link(uint32_t slab) noexcept;
  void unlink(uint32_t slab) noexcept;
  void drop_slab(uint32_t slab) noexcept;
  size_t slab_bytes(const Slab& slab) const noexcept {
    return size_t{slab.capacity} * slab.granules * granule_bytes;
  }

  HeapAccount& heap_;
  char** bases_ = nullptr;  // By slab number; number 0 is never used, so that index 0 means none.
  Slab* slabs_ = nullptr;
  uint32_t slab_count_ = 0;
  uint32_t slab_capacity_ = 0;
  uint32_t free_slabs_ = 0;
  uint64_t objects_ = 0;
  uint32_t with_room_[granules_max + 1] = {};
  uint32_t slabs_of_size_[granules_max + 1] = {};
};

}  // namespace martlet::subject
