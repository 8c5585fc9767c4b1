// SPDX-License-Identifier: Apache-2.0
//
// Owns the feeding of several queues from one run of input: each is held from its first entry to
// the end of the run, so that it is locked and counted once, and all wake-ups are run when the
// caller holds no lock any more.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/out_of_memory.hpp"
#include "client/completion_queue.hpp"

namespace martlet::client {

class FeedWriter {
 public:
  /// Queues that are held at a time.
  static constexpr size_t held_max = 16;

  FeedWriter() = default;
  /// A wake-up for which there is no memory must not keep the others: finish() goes on behind it.
  ~FeedWriter() {
    while (!fits_into_memory([this] { finish(); })) {
    }
  }
  FeedWriter(const FeedWriter&) = delete;
  FeedWriter& operator=(const FeedWriter&) = delete;

  /// The queue is held at least until another is asked for, and at most until let_go().
  CompletionQueue::Feed& feed(const std::shared_ptr<CompletionQueue>& queue) {
    if (last_ == nullptr || queue != last_->queue) last_ = &hold(queue);
    return *last_->feed;
  }
  void let_go() {
    last_ = nullptr;
    while (held_count_ > 0) {
      Held& held = held_[--held_count_];
      CompletionQueue::WakeUp wake_up = held.feed->end();
      if (wake_up.queue != nullptr || wake_up.driver != nullptr)
        wake_ups_.push_back(std::move(wake_up));
      held.feed.reset();
      held.queue.reset();
    }
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
  struct Held {
    std::shared_ptr<CompletionQueue>
        queue;  // Shared, so that it outlives the feed whatever its owner does.
    std::optional<CompletionQueue::Feed> feed;
  };

  Held& hold(const std::shared_ptr<CompletionQueue>& queue) {
    for (size_t i = 0; i < held_count_; ++i) {
      if (held_[i].queue == queue) return held_[i];
    }
    if (held_count_ == held_max) let_go();
    // Letting go must not fail: it may be what a failure ends with.
    reserve_for(wake_ups_, wake_ups_.size() + held_count_ + 1);
    // Nobody waits for a queue while it holds another: two writers may come to the same queues in
    // different orders.
    std::unique_lock<std::mutex> lock = queue->try_lock();
    if (!lock) {
      let_go();
      lock = queue->lock();
    }
    Held& held = held_[held_count_++];
    held.queue = queue;
    held.feed.emplace(*queue, std::move(lock));
    return held;
  }

  std::array<Held, held_max> held_;
  size_t held_count_ = 0;
  Held* last_ = nullptr;  // Of held_: most entries are for the same queue as the one before.
  std::vector<CompletionQueue::WakeUp> wake_ups_;
};

}  // namespace martlet::client
