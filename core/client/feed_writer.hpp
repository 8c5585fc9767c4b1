// SPDX-License-Identifier: Apache-2.0
//
// Owns the feeding of several queues from one run of input: at most one queue is held at a time,
// and all wake-ups are run at the end, when the caller holds no lock any more.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/out_of_memory.hpp"
#include "client/completion_queue.hpp"

namespace martlet::client {

class FeedWriter {
 public:
  FeedWriter() = default;
  ~FeedWriter() { finish(); }
  FeedWriter(const FeedWriter&) = delete;
  FeedWriter& operator=(const FeedWriter&) = delete;

  /// The queue is held until another is asked for, or let_go().
  CompletionQueue::Feed& feed(const std::shared_ptr<CompletionQueue>& queue) {
    if (queue.get() != queue_.get()) {
      let_go();
      // Letting go must not fail: it may be what a failure ends with.
      reserve_for(wake_ups_, wake_ups_.size() + 1);
      queue_ = queue;
      feed_.emplace(*queue_);
    }
    return *feed_;
  }
  void let_go() {
    if (!feed_) return;
    CompletionQueue::WakeUp wake_up = feed_->end();
    if (wake_up.queue != nullptr || wake_up.driver != nullptr)
      wake_ups_.push_back(std::move(wake_up));
    feed_.reset();
    queue_.reset();
  }
  /// Lets go and wakes. No lock may be held. A wake-up may lead here again.
  void finish() {
    let_go();
    for (size_t i = 0; i < wake_ups_.size(); ++i) {
      const CompletionQueue::WakeUp wake_up = std::move(wake_ups_[i]);
      wake_up.run();
    }
    wake_ups_.clear();
  }

 private:
  std::shared_ptr<CompletionQueue>
      queue_;  // Shared, so that it outlives the feed whatever its owner does.
  std::optional<CompletionQueue::Feed> feed_;
  std::vector<CompletionQueue::WakeUp> wake_ups_;
};

}  // namespace martlet::client
