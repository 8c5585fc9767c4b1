// SPDX-License-Identifier: Apache-2.0
//
// Owns what stands behind martlet_queue and martlet_batch: the core's objects with the mark of a
// handle in front.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "boundary.hpp"
#include "client/completion_queue.hpp"
#include "handle.hpp"
#include "martlet/queue.h"

namespace martlet::capi {

/// The program's wake-up callback, which may be set and ended while the queue is fed. Shared with
/// the queue, that may outlive the handle.
class WakeSlot {
 public:
  /// Calls what is set. Any thread, without a lock held.
  void call();
  /// Replaces it; returns when the earlier one does not run any more and is freed. Not from inside
  /// the callback.
  void set(martlet_wake_fn fn, void* user_data, martlet_user_data_free_fn user_data_free);
  bool is_set();
  /// Where READY goes, once, when call() comes next.
  void set_notice(std::weak_ptr<client::CompletionQueue> target, int64_t cookie);
  /// Sends it now, if it has not been sent.
  void send_notice();

 private:
  struct Target {
    martlet_wake_fn fn = nullptr;
    void* user_data = nullptr;
    martlet_user_data_free_fn user_data_free = nullptr;
  };
  std::mutex mutex_;
  std::condition_variable idle_;
  Target target_;    // GUARDED_BY mutex_
  int running_ = 0;  // GUARDED_BY mutex_; calls under way.
  bool has_notice_ = false;                            // GUARDED_BY mutex_
  std::weak_ptr<client::CompletionQueue> notice_to_;   // GUARDED_BY mutex_
  int64_t notice_cookie_ = 0;                          // GUARDED_BY mutex_
};

}  // namespace martlet::capi

struct martlet_queue : martlet::capi::HandleHead {
  static constexpr uint32_t kind_mark = martlet::capi::mark_queue;
  static constexpr const char* kind_text = "not a live martlet_queue";

  explicit martlet_queue(std::shared_ptr<martlet::client::CompletionQueue> made);
  ~martlet_queue();

  std::shared_ptr<martlet::client::CompletionQueue> queue;  // Shared with everything that feeds it.
  std::shared_ptr<martlet::capi::WakeSlot> wake;
};

struct martlet_batch : martlet::capi::HandleHead {
  static constexpr uint32_t kind_mark = martlet::capi::mark_batch;
  static constexpr const char* kind_text = "not a live martlet_batch";

  explicit martlet_batch(martlet::client::Batch taken)
      : HandleHead(kind_mark), batch(std::move(taken)) {}

  martlet::client::Batch batch;
  std::atomic<int32_t> references{1};
};

namespace martlet::capi {

using SharedQueue = std::shared_ptr<client::CompletionQueue>;

/// The queue that a call names; null with an answer when it is none of this process (or, where one
/// is needed, missing).
inline bool read_queue(martlet_queue* queue, bool is_needed, SharedQueue& out, Answer& answer) {
  if (queue == nullptr) {
    if (is_needed) answer = missing("queue");
    return !is_needed;
  }
  if (!is_live(queue)) {
    answer = Answer(MARTLET_ERR_INVALID_HANDLE, martlet_queue::kind_text);
    return false;
  }
  if (queue->process->is_forked()) {
    answer = Answer(MARTLET_ERR_FORKED, "the queue was made before this process was forked");
    return false;
  }
  out = queue->queue;
  return true;
}

}  // namespace martlet::capi
