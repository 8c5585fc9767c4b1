// SPDX-License-Identifier: Apache-2.0
//
// Owns which subscriptions of one account exist, for all loops together: the subject trie, its
// lock, and the counters by which a loop sees at no cost that something it has cached may have
// changed. The only file of this folder that knows of threads. Promise: once insert() has returned,
// every route that any loop builds or checks afterwards has the newcomer.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <shared_mutex>
#include <string_view>

#include "base/memory_budget.hpp"
#include "subject/subscription_trie.hpp"

namespace martlet::broker {

/// Which change counters concern one published subject. Every pattern raises exactly one counter:
/// that of its literal text when it has no wildcard, else that of its literal tokens before the
/// first wildcard (at most `depth_max` of them). So a subject depends on its own text and on each
/// of its first prefixes, and churn elsewhere leaves it alone.
struct RouteDependencies {
  static constexpr int depth_max = 4;
  uint16_t counters[depth_max + 2];
  uint8_t count = 0;
};

class RoutingTable {
 public:
  static constexpr uint32_t counter_count = 1024;

  explicit RoutingTable(uint64_t seed) : trie_(seed), seed_(seed) {}

  [[nodiscard]] bool insert(std::string_view pattern, std::string_view queue,
                            subject::TrieEntry* entry);
  /// Needs no memory: when there is none, every cached route is held to have changed.
  void remove(subject::TrieEntry* entry);

  /// Raised by every change. Read it before match(): what was matched afterwards is at least as
  /// new.
  uint64_t version() const { return version_.load(std::memory_order_acquire); }
  RouteDependencies dependencies_of(std::string_view subject) const;
  /// Equal sums at two moments: nothing that `dependencies` name has changed between them.
  uint64_t change_sum(const RouteDependencies& dependencies) const {
    uint64_t sum = 0;
    for (int i = 0; i < dependencies.count; i++) {
      sum += counters_[dependencies.counters[i]].load(std::memory_order_acquire);
    }
    return sum;
  }

  /// Calls `visit` with what `subject` reaches and the trie, while no change can happen. It must
  /// copy what it needs of other loops' subscriptions.
  template <typename Visit>
  void match(std::string_view subject, subject::Match& scratch, Visit&& visit) {
    scratch.clear();
    std::shared_lock<std::shared_mutex> lock(mutex_);
    trie_.match(subject, scratch);
    visit(scratch, trie_);
  }

  /// subject::SubscriptionTrie::prefetch.
  void prefetch(const std::string_view* subjects, size_t count) {
    std::shared_lock<std::shared_mutex> lock(mutex_);
    trie_.prefetch(subjects, count);
  }

  std::string pattern_of(const subject::TrieEntry* entry) const;
  std::string queue_of(const subject::TrieEntry* entry) const;
  size_t count() const;
  size_t memory_bytes() const;
  /// From now on what this table takes counts there; null: nowhere. The budget must stay until the
  /// next call.
  void charge_to(MemoryBudget* budget);
  uint64_t insert_count() const { return inserts_.load(std::memory_order_relaxed); }
  uint64_t remove_count() const { return removes_.load(std::memory_order_relaxed); }

 private:
  void raise(std::string_view pattern);
  void settle();
  void raise_all();

  mutable std::shared_mutex
      mutex_;  // See docs/lock_order.md: innermost, never held while anything else is taken.
  subject::SubscriptionTrie trie_;  // GUARDED_BY mutex_
  MemoryBudget* budget_ = nullptr;  // GUARDED_BY mutex_
  int64_t charged_bytes_ = 0;       // GUARDED_BY mutex_; by the budget.
  const uint64_t seed_;
  std::atomic<uint64_t> version_{1};
  std::atomic<uint64_t> inserts_{0};
  std::atomic<uint64_t> removes_{0};
  std::atomic<uint32_t> counters_[counter_count] = {};
};

}  // namespace martlet::broker
