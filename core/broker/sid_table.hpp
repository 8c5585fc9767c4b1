// SPDX-License-Identifier: Apache-2.0
//
// Owns the map of a session from subscription ids to subscriptions: open addressing over pointers,
// because a session has one subscription or a million. The subscriptions themselves are the
// shard's.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "broker/subscription.hpp"

namespace martlet::broker {

class SidTable {
 public:
  Subscription* find(std::string_view sid) const;
  /// Room for one more: the next insert() cannot fail. False when memory could not be had.
  [[nodiscard]] bool reserve_one();
  /// `subscription`'s sid is not in here yet, and there is room for it.
  void insert(Subscription* subscription);
  void erase(const Subscription* subscription);
  /// For the end of a session: takes any subscription out; null when none is left. Afterwards
  /// nothing may be found or inserted. Needs no memory.
  Subscription* drain_one();
  size_t size() const { return count_; }
  size_t capacity_bytes() const { return slots_.capacity() * sizeof(Subscription*); }

  /// Goes on at slot `at` for at most `slots_max` slots; true when the end is reached. What changes
  /// between two calls may be missed or met twice.
  template <typename Visit>
  bool visit_from(size_t& at, size_t slots_max, Visit&& visit) const {
    for (; at < slots_.size() && slots_max > 0; at++, slots_max--) {
      if (slots_[at] != nullptr) visit(*slots_[at]);
    }
    return at >= slots_.size();
  }

  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (Subscription* subscription : slots_) {
      if (subscription != nullptr) visit(*subscription);
    }
  }

 private:
  size_t home_of(std::string_view sid) const;
  void grow();

  std::vector<Subscription*> slots_;  // A power of two, at most three quarters full.
  size_t count_ = 0;
};

}  // namespace martlet::broker
