// SPDX-License-Identifier: Apache-2.0
//
// Owns the probing: linear, erased by moving what follows back.
#include "broker/sid_table.hpp"

#include "base/assert.hpp"
#include "base/out_of_memory.hpp"
#include "broker/subject_hash.hpp"

namespace martlet::broker {

size_t SidTable::home_of(std::string_view sid) const {
  // Keyed by the table's own address: nobody outside can choose sids that collide.
  return hash_text(sid, reinterpret_cast<uintptr_t>(this)) & (slots_.size() - 1);
}

Subscription* SidTable::find(std::string_view sid) const {
  if (slots_.empty()) return nullptr;
  for (size_t at = home_of(sid);; at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at] == nullptr) return nullptr;
    if (slots_[at]->sid() == sid) return slots_[at];
  }
}

bool SidTable::reserve_one() {
  return count_ * 4 < slots_.size() * 3 || fits_into_memory([this] { grow(); });
}

void SidTable::insert(Subscription* subscription) {
  MARTLET_ASSERT(count_ < slots_.size());
  size_t at = home_of(subscription->sid());
  while (slots_[at] != nullptr) at = (at + 1) & (slots_.size() - 1);
  slots_[at] = subscription;
  count_ += 1;
}

void SidTable::grow() {
  std::vector<Subscription*> old(slots_.empty() ? 4 : slots_.size() * 2);
  old.swap(slots_);
  for (Subscription* subscription : old) {
    if (subscription == nullptr) continue;
    size_t at = home_of(subscription->sid());
    while (slots_[at] != nullptr) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = subscription;
  }
}

void SidTable::erase(const Subscription* subscription) {
  const size_t mask = slots_.size() - 1;
  size_t hole = home_of(subscription->sid());
  while (slots_[hole] != subscription) {
    MARTLET_ASSERT(slots_[hole] != nullptr);
    hole = (hole + 1) & mask;
  }
  for (size_t at = (hole + 1) & mask; slots_[at] != nullptr; at = (at + 1) & mask) {
    const size_t home = home_of(slots_[at]->sid());
    if (((at - home) & mask) >= ((at - hole) & mask)) {
      slots_[hole] = slots_[at];
      hole = at;
    }
  }
  slots_[hole] = nullptr;
  count_ -= 1;
  if (count_ == 0) std::vector<Subscription*>().swap(slots_);
}

Subscription* SidTable::drain_one() {
  while (!slots_.empty()) {
    Subscription* subscription = slots_.back();
    slots_.pop_back();
    if (subscription == nullptr) continue;
    count_ -= 1;
    return subscription;
  }
  return nullptr;
}

}  // namespace martlet::broker
