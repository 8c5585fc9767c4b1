// SPDX-License-Identifier: Apache-2.0
//
// Owns the forgetting of the oldest.
#include "server/closed_connections.hpp"

#include <algorithm>

namespace martlet::server {

ClosedConnections::ClosedConnections(int64_t count_max, MemoryBudget& budget)
    : count_max_(static_cast<size_t>(std::max<int64_t>(count_max, 0))), budget_(budget) {}

ClosedConnections::~ClosedConnections() { budget_.remove(static_cast<int64_t>(bytes_)); }

void ClosedConnections::add(ConnectionRow row) {
  if (count_max_ == 0) return;
  auto kept = std::make_shared<const ConnectionRow>(std::move(row));
  // Under memory pressure it shrinks as the caches do: history is the first thing to give up.
  const bool must_shrink = budget_.caches_must_shrink();
  std::lock_guard<std::mutex> lock(mutex_);
  const size_t before = bytes_;
  rows_.push_back(kept);
  bytes_ += kept->bytes();
  while (!rows_.empty() && (rows_.size() > count_max_ || bytes_ > bytes_max || must_shrink)) {
    bytes_ -= rows_.front()->bytes();
    rows_.pop_front();
  }
  budget_.add(static_cast<int64_t>(bytes_) - static_cast<int64_t>(before));
}

std::vector<std::shared_ptr<const ConnectionRow>> ClosedConnections::rows() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return {rows_.begin(), rows_.end()};
}

}  // namespace martlet::server
