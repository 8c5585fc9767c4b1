// SPDX-License-Identifier: Apache-2.0
//
// See slab_arena.hpp. The first slabs of a size are small, so that a trie with three subscriptions
// costs little.
#include "subject/slab_arena.hpp"

#include <algorithm>
#include <cstring>

#include "base/assert.hpp"

namespace martlet::subject {
namespace {

constexpr uint32_t slab_granules_first = 32;
constexpr uint32_t slab_granules_max = 1024;
constexpr uint32_t directory_first = 8;

}  // namespace

static_assert(SlabArena::granules_max <= slab_granules_first);

SlabArena::~SlabArena() {
  for (uint32_t slab = 1; slab < slab_count_; ++slab) {
    if (bases_[slab] != nullptr) heap_.release_lines(bases_[slab], slab_bytes(slabs_[slab]));
  }
  if (slab_capacity_ == 0) return;
  heap_.release(bases_, slab_capacity_ * sizeof(char*));
  heap_.release(slabs_, slab_capacity_ * sizeof(Slab));
}

uint32_t SlabArena::allocate(uint32_t granules) noexcept {
  MARTLET_ASSERT(granules >= granules_min && granules <= granules_max);
  if (with_room_[granules] == 0 && !add_slab(granules)) return 0;
  const uint32_t number = with_room_[granules];
  Slab& slab = slabs_[number];
  uint32_t object = slab.fresh;
  if (slab.free != 0) {
    object = slab.free - 1U;
    std::memcpy(&slab.free, bases_[number] + size_t{object} * granules * granule_bytes,
                sizeof slab.free);
  } else {
    ++slab.fresh;
  }
  ++slab.used;
  ++objects_;
  if (slab.used == slab.capacity) unlink(number);
  return (number << slab_index_bits) + object * granules;
}

void SlabArena::release(uint32_t index) noexcept {
  const uint32_t number = index >> slab_index_bits;
  MARTLET_ASSERT(number != 0 && number < slab_count_ && bases_[number] != nullptr);
  Slab& slab = slabs_[number];
  const uint32_t object = (index & slab_index_mask) / slab.granules;
  MARTLET_ASSERT(slab.used > 0 && object < slab.fresh);
  std::memcpy(bases_[number] + size_t{object} * slab.granules * granule_bytes, &slab.free,
              sizeof slab.free);
  slab.free = static_cast<uint16_t>(object + 1);
  if (slab.used == slab.capacity) link(number);
  --slab.used;
  --objects_;
  // The last slab with room stays, or one object made and released over and over would cost a slab
  // each time.
  const bool only_one_with_room = slab.previous == 0 && slab.next == 0;
  if (slab.used == 0 && !only_one_with_room) drop_slab(number);
}

bool SlabArena::add_slab(uint32_t granules) noexcept {
  if (free_slabs_ == 0 && slab_count_ == slab_capacity_ && !grow_directory()) return false;
  const uint32_t growth = std::min<uint32_t>(slabs_of_size_[granules], 3) * 2;
  const uint32_t capacity = std::min(slab_granules_max, slab_granules_first << growth) / granules;
  char* const base =
      static_cast<char*>(heap_.allocate_lines(size_t{capacity} * granules * granule_bytes));
  if (base == nullptr) return false;
  uint32_t number = free_slabs_;
  if (number != 0) {
    free_slabs_ = slabs_[number].next;
  } else {
    number = slab_count_++;
  }
  bases_[number] = base;
  slabs_[number] = {};
  slabs_[number].capacity = static_cast<uint16_t>(capacity);
  slabs_[number].granules = static_cast<uint16_t>(granules);
  ++slabs_of_size_[granules];
  link(number);
  return true;
}

bool SlabArena::grow_directory() noexcept {
  const uint32_t capacity = slab_capacity_ == 0 ? directory_first : slab_capacity_ * 2;
  if (capacity > slabs_max) return false;
  char** const bases = static_cast<char**>(heap_.allocate(capacity * sizeof(char*)));
  Slab* const slabs = static_cast<Slab*>(heap_.allocate(capacity * sizeof(Slab)));
  if (bases == nullptr || slabs == nullptr) {
    if (bases != nullptr) heap_.release(bases, capacity * sizeof(char*));
    if (slabs != nullptr) heap_.release(slabs, capacity * sizeof(Slab));
    return false;
  }
  if (slab_capacity_ == 0) {
    bases[0] = nullptr;
    slab_count_ = 1;
  } else {
    std::memcpy(bases, bases_, slab_count_ * sizeof(char*));
    std::memcpy(slabs, slabs_, slab_count_ * sizeof(Slab));
    heap_.release(bases_, slab_capacity_ * sizeof(char*));
    heap_.release(slabs_, slab_capacity_ * sizeof(Slab));
  }
  bases_ = bases;
  slabs_ = slabs;
  slab_capacity_ = capacity;
  return true;
}

void SlabArena::link(uint32_t number) noexcept {
  Slab& slab = slabs_[number];
  uint32_t& head = with_room_[slab.granules];
  slab.previous = 0;
  slab.next = head;
  if (head != 0) slabs_[head].previous = number;
  head = number;
}

void SlabArena::unlink(uint32_t number) noexcept {
  Slab& slab = slabs_[number];
  if (slab.next != 0) slabs_[slab.next].previous = slab.previous;
  if (slab.previous != 0) {
    slabs_[slab.previous].next = slab.next;
  } else {
    with_room_[slab.granules] = slab.next;
  }
  slab.previous = 0;
  slab.next = 0;
}

void SlabArena::drop_slab(uint32_t number) noexcept {
  unlink(number);
  Slab& slab = slabs_[number];
  heap_.release_lines(bases_[number], slab_bytes(slab));
  bases_[number] = nullptr;
  --slabs_of_size_[slab.granules];
  slab.next = free_slabs_;
  free_slabs_ = number;
}

}  // namespace martlet::subject
