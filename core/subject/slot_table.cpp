// SPDX-License-Identifier: Apache-2.0
//
// See slot_table.hpp. Linear probing; a removal moves later slots back, so that no tombstones
// gather.
#include "subject/slot_table.hpp"

#include <cstring>

#include "base/assert.hpp"

namespace martlet::subject {
namespace {

constexpr uint32_t capacity_log2_min = 2;
constexpr uint32_t capacity_log2_max = 31;

/// At three quarters full a search that finds nothing looks at about eight slots: one cache line or
/// two.
bool holds(uint32_t capacity_log2, uint64_t count) noexcept {
  return count * 4 <= (uint64_t{3} << capacity_log2);
}

}  // namespace

bool SlotTable::reserve(uint32_t more, HeapAccount& heap) noexcept {
  const uint64_t wanted = uint64_t{count_} + more;
  if (capacity_log2_ == 0 ? wanted <= 1 : holds(capacity_log2_, wanted)) return true;
  uint32_t capacity_log2 = capacity_log2_ < capacity_log2_min ? capacity_log2_min : capacity_log2_;
  while (!holds(capacity_log2, wanted)) ++capacity_log2;
  return capacity_log2 <= capacity_log2_max && rebuild(capacity_log2, heap);
}

void SlotTable::insert(uint32_t hash, uint32_t index) noexcept {
  MARTLET_ASSERT(index != 0);
  if (capacity_log2_ == 0) {
    MARTLET_ASSERT(count_ == 0);
    only_ = {hash, index};
  } else {
    MARTLET_ASSERT(holds(capacity_log2_, uint64_t{count_} + 1));
    put(hash, index);
  }
  ++count_;
}

void SlotTable::erase(uint32_t hash, uint32_t index, HeapAccount& heap) noexcept {
  if (capacity_log2_ == 0) {
    MARTLET_ASSERT(count_ == 1 && only_.index == index);
    only_ = {0, 0};
    count_ = 0;
    return;
  }
  const uint32_t mask = mask_of(capacity_log2_);
  uint32_t hole = place_of(hash, index);
  for (uint32_t at = (hole + 1) & mask; slots_[at].index != 0; at = (at + 1) & mask) {
    // A slot may move back to the hole unless that lies before its home.
    if (((at - home(slots_[at].hash)) & mask) < ((at - hole) & mask)) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole] = {0, 0};
  --count_;
  if (count_ <= 1) {
    static_cast<void>(rebuild(0, heap));
  } else if (capacity_log2_ > capacity_log2_min && count_ < (uint32_t{1} << capacity_log2_) / 8) {
    static_cast<void>(rebuild(capacity_log2_ - 1, heap));
  }
}

void SlotTable::replace(uint32_t hash, uint32_t old_index, uint32_t index) noexcept {
  if (capacity_log2_ == 0) {
    MARTLET_ASSERT(count_ == 1 && only_.index == old_index);
    only_.index = index;
    return;
  }
  slots_[place_of(hash, old_index)].index = index;
}

void SlotTable::clear(HeapAccount& heap) noexcept {
  if (capacity_log2_ != 0) heap.release(slots_, bytes_of(capacity_log2_));
  only_ = {0, 0};
  count_ = 0;
  capacity_log2_ = 0;
}

uint32_t SlotTable::place_of(uint32_t hash, uint32_t index) const noexcept {
  const uint32_t mask = mask_of(capacity_log2_);
  uint32_t at = home(hash);
  while (slots_[at].index != index) {
    MARTLET_ASSERT(slots_[at].index != 0);
    at = (at + 1) & mask;
  }
  return at;
}

void SlotTable::put(uint32_t hash, uint32_t index) noexcept {
  const uint32_t mask = mask_of(capacity_log2_);
  uint32_t at = home(hash);
  while (slots_[at].index != 0) at = (at + 1) & mask;
  slots_[at] = {hash, index};
}

bool SlotTable::rebuild(uint32_t capacity_log2, HeapAccount& heap) noexcept {
  Slot single = only_;
  const Slot* const old_slots = capacity_log2_ == 0 ? &single : slots_;
  const uint32_t old_log2 = capacity_log2_;
  const uint32_t old_slot_count = uint32_t{1} << old_log2;
  if (capacity_log2 == 0) {
    MARTLET_ASSERT(count_ <= 1);
    Slot last = {0, 0};
    for (uint32_t at = 0; at < old_slot_count; ++at) {
      if (old_slots[at].index != 0) last = old_slots[at];
    }
    heap.release(slots_, bytes_of(old_log2));
    capacity_log2_ = 0;
    only_ = last;
    return true;
  }
  Slot* const made = static_cast<Slot*>(heap.allocate(bytes_of(capacity_log2)));
  if (made == nullptr) return false;
  std::memset(static_cast<void*>(made), 0, bytes_of(capacity_log2));
  slots_ = made;
  capacity_log2_ = capacity_log2;
  for (uint32_t at = 0; at < old_slot_count; ++at) {
    if (old_slots[at].index != 0) put(old_slots[at].hash, old_slots[at].index);
  }
  if (old_log2 != 0) heap.release(const_cast<Slot*>(old_slots), bytes_of(old_log2));
  return true;
}

}  // namespace martlet::subject
