// SPDX-License-Identifier: Apache-2.0
//
// Owns what is remembered of connections that are gone, for /connz?state=closed. Bounded in count
// and in bytes: the oldest go first. Any thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "base/memory_budget.hpp"
#include "server/connection_row.hpp"

namespace martlet::server {

class ClosedConnections {
 public:
  static constexpr size_t bytes_max = 16 * 1024 * 1024;
  static constexpr size_t subscriptions_each_max =
      128;  // More of one connection are counted, but not remembered.

  /// `count_max` 0 or below: none is remembered.
  ClosedConnections(int64_t count_max, MemoryBudget& budget);
  ~ClosedConnections();
  ClosedConnections(const ClosedConnections&) = delete;
  ClosedConnections& operator=(const ClosedConnections&) = delete;

  void add(ConnectionRow row);
  /// Oldest first. Shared with the memory, which may let go of them meanwhile.
  std::vector<std::shared_ptr<const ConnectionRow>> rows() const;

 private:
  const size_t count_max_;
  MemoryBudget& budget_;
  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<const ConnectionRow>>
      rows_;          // GUARDED_BY mutex_. Shared with pages being made.
  size_t bytes_ = 0;  // GUARDED_BY mutex_
};

}  // namespace martlet::server
