// SPDX-License-Identifier: Apache-2.0
//
// Owns the count of the memory that a broker has taken for what others make it hold: output,
// subscriptions, connections, payloads under way. One ceiling, asked before memory is spent. Any
// thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace martlet {

/// The order of refusal as memory runs out: caches shrink first, then new connections and
/// subscriptions are refused, then producers wait, then slow consumers go. Each step has its share
/// of the ceiling.
class MemoryBudget {
 public:
  /// `bytes_max` 0: no ceiling.
  explicit MemoryBudget(int64_t bytes_max = 0) : bytes_max_(bytes_max) {}

  void add(int64_t bytes) { bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  void remove(int64_t bytes) { bytes_.fetch_sub(bytes, std::memory_order_relaxed); }
  int64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  int64_t bytes_max() const { return bytes_max_; }

  bool caches_must_shrink() const { return is_above(70); }
  bool refuses_newcomers() const { return is_above(80); }
  bool producers_must_wait() const { return is_above(90); }
  bool slow_consumers_must_go() const { return is_above(100); }
  /// For so much more at once.
  bool has_room(int64_t bytes) const { return !is_above(100, bytes); }

 private:
  bool is_above(int64_t percent, int64_t more = 0) const {
    return bytes_max_ > 0 && bytes() + more >= bytes_max_ / 100 * percent;
  }

  const int64_t bytes_max_;
  std::atomic<int64_t> bytes_{0};
};

}  // namespace martlet
