// SPDX-License-Identifier: Apache-2.0
//
// Owns the memory of the subscriptions of one loop, and the handles by which other loops name them.
// What is retired stays readable until free_retired(), so that a delivery under way may still step
// over it. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/memory_budget.hpp"
#include "broker/subscription.hpp"

namespace martlet::broker {

class SubscriptionStore {
 public:
  explicit SubscriptionStore(MemoryBudget& budget) : budget_(budget) {}
  ~SubscriptionStore();
  SubscriptionStore(const SubscriptionStore&) = delete;
  SubscriptionStore& operator=(const SubscriptionStore&) = delete;

  /// Null when memory could not be had.
  Subscription* make(std::string_view sid);
  void retire(Subscription* subscription);
  void free_retired();
  /// Null when the handle's subscription is gone.
  Subscription* find(SubscriptionHandle handle) const {
    if (handle.slot >= slots_.size()) return nullptr;
    Subscription* subscription = slots_[handle.slot];
    if (subscription == nullptr || subscription->handle.generation != handle.generation)
      return nullptr;
    return subscription->is_closed ? nullptr : subscription;
  }
  size_t count() const { return count_; }

  /// What one subscription is charged for, beside the trie's own bytes: docs/limits.md.
  static constexpr int64_t charge_bytes = static_cast<int64_t>(sizeof(Subscription)) + 24;
  /// With a sid that is too long to stand within it.
  static int64_t charge_of(const Subscription& subscription) {
    return charge_bytes + (subscription.sid_is_long ? subscription.sid_bytes + sid_slack_bytes : 0);
  }

 private:
  static constexpr size_t slab_count = 256;
  static constexpr int64_t sid_slack_bytes = 16;

  bool add_slab();
  bool add_slot();
  void free_one(Subscription* subscription);

  MemoryBudget& budget_;
  std::vector<Subscription*> slots_;
  std::vector<uint32_t> free_slots_;  // Has room for all slots, for the same reason.
  std::vector<std::unique_ptr<unsigned char[]>> slabs_;
  Subscription* retired_ = nullptr;  // A list, so that an end never needs memory.
  void* free_ = nullptr;
  size_t count_ = 0;
  uint32_t generation_ = 0;
};

}  // namespace martlet::broker
