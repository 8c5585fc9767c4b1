// SPDX-License-Identifier: Apache-2.0
//
// Owns the slabs of subscriptions.
#include "broker/subscription_store.hpp"

#include <cstring>
#include <new>

#include "base/assert.hpp"
#include "base/out_of_memory.hpp"

namespace martlet::broker {

SubscriptionStore::~SubscriptionStore() {
  free_retired();
  MARTLET_ASSERT(count_ == 0);
}

bool SubscriptionStore::add_slab() {
  return fits_into_memory([this] {
    auto slab = std::make_unique_for_overwrite<unsigned char[]>(slab_count * sizeof(Subscription));
    slabs_.push_back(std::move(slab));
    for (size_t i = 0; i < slab_count; i++) {
      void* place = slabs_.back().get() + i * sizeof(Subscription);
      std::memcpy(place, &free_, sizeof free_);
      free_ = place;
    }
  });
}

bool SubscriptionStore::add_slot() {
  return fits_into_memory([this] {
    reserve_for(slots_, slots_.size() + 1);
    reserve_for(free_slots_, slots_.capacity());
    slots_.push_back(nullptr);
    free_slots_.push_back(static_cast<uint32_t>(slots_.size() - 1));
  });
}

Subscription* SubscriptionStore::make(std::string_view sid) {
  if (free_ == nullptr && !add_slab()) return nullptr;
  if (free_slots_.empty() && !add_slot()) return nullptr;
  char* sid_long = nullptr;
  if (sid.size() > Subscription::sid_inline_max) {
    sid_long = new (std::nothrow) char[sid.size() + 16]();
    if (sid_long == nullptr) return nullptr;
    std::memcpy(sid_long, sid.data(), sid.size());
  }
  void* place = free_;
  std::memcpy(&free_, place, sizeof free_);
  Subscription* subscription = new (place) Subscription;
  subscription->sid_bytes = static_cast<uint32_t>(sid.size());
  if (sid_long != nullptr) {
    subscription->sid_is_long = true;
    subscription->sid_long = sid_long;
  } else {
    std::memcpy(subscription->sid_inline, sid.data(), sid.size());
  }
  subscription->handle.slot = free_slots_.back();
  subscription->handle.generation = ++generation_;
  free_slots_.pop_back();
  slots_[subscription->handle.slot] = subscription;
  count_ += 1;
  budget_.add(charge_of(*subscription));
  return subscription;
}

void SubscriptionStore::retire(Subscription* subscription) {
  MARTLET_ASSERT(subscription->node == nullptr);
  subscription->is_closed = true;
  subscription->next_retired = retired_;
  retired_ = subscription;
}

void SubscriptionStore::free_retired() {
  while (retired_ != nullptr) {
    Subscription* subscription = retired_;
    retired_ = subscription->next_retired;
    free_one(subscription);
  }
}

void SubscriptionStore::free_one(Subscription* subscription) {
  slots_[subscription->handle.slot] = nullptr;
  free_slots_.push_back(subscription->handle.slot);
  budget_.remove(charge_of(*subscription));
  if (subscription->sid_is_long) delete[] subscription->sid_long;
  subscription->~Subscription();
  void* place = subscription;
  std::memcpy(place, &free_, sizeof free_);
  free_ = place;
  count_ -= 1;
  if (count_ == 0) {
    // Nothing left: the slabs go back, so that a flood that is over leaves nothing behind.
    free_ = nullptr;
    std::vector<std::unique_ptr<unsigned char[]>>().swap(slabs_);
    std::vector<Subscription*>().swap(slots_);
    std::vector<uint32_t>().swap(free_slots_);
  }
}

}  // namespace martlet::broker
