// SPDX-License-Identifier: Apache-2.0
//
// Owns what other loops have handed over to one loop and it has not yet taken. Handing over never
// waits and is never refused; how much lies here is what slows the producers of the other loops
// down, and is charged to the budget. Any thread may hand over.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>

#include "base/memory_budget.hpp"
#include "broker/remote_batch.hpp"

namespace martlet::net {

class Inbox {
 public:
  explicit Inbox(MemoryBudget& budget) : budget_(budget) {}
  ~Inbox() { delivered(bytes_.load(std::memory_order_relaxed)); }
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  /// Above this, the loops that hand over stop reading from their producers until it has been
  /// taken.
  static constexpr size_t bytes_max = 8 * 1024 * 1024;

  /// True when the inbox was empty: the owner must be woken. Needs no memory.
  bool put(std::unique_ptr<broker::RemoteBatch> batch) {
    std::lock_guard<std::mutex> lock(mutex_);
    bytes_.fetch_add(batch->bytes(), std::memory_order_relaxed);
    budget_.add(static_cast<int64_t>(batch->bytes()));
    batches_.append(std::move(batch));
    return !filled_.exchange(true, std::memory_order_release);
  }
  /// Cheap when there is nothing.
  broker::RemoteBatchList take() {
    broker::RemoteBatchList taken;
    if (!filled_.load(std::memory_order_acquire)) return taken;
    std::lock_guard<std::mutex> lock(mutex_);
    filled_.store(false, std::memory_order_relaxed);
    taken.swap(batches_);
    return taken;
  }
  /// What take() gave has been delivered.
  void delivered(size_t bytes) {
    bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    budget_.remove(static_cast<int64_t>(bytes));
  }
  bool is_full() const { return bytes_.load(std::memory_order_relaxed) > bytes_max; }

 private:
  MemoryBudget& budget_;
  std::mutex mutex_;
  broker::RemoteBatchList batches_;  // GUARDED_BY mutex_
  std::atomic<bool> filled_{false};
  std::atomic<size_t> bytes_{0};
};

}  // namespace martlet::net
