// SPDX-License-Identifier: Apache-2.0
//
// Owns a completion queue as a C++ object. See martlet/queue.h for what each call promises.
#pragma once

#include "martlet/cpp/batch.hpp"
#include "martlet/cpp/error.hpp"
#include "martlet/queue.h"

namespace martlet::cpp {

class Queue {
 public:
  explicit Queue(std::string_view options = {}) {
    ErrorOut error;
    martlet_queue* queue = nullptr;
    check(martlet_queue_new(options.data(), size_of(options), &queue, error), error);
    queue_ = Owned<martlet_queue, martlet_queue_free>(queue);
  }

  /// OK with a batch, AGAIN, or DONE.
  martlet_status poll(int32_t messages_max, int32_t timeout_ms, Batch& out) {
    ErrorOut error;
    martlet_batch* batch = nullptr;
    const martlet_status status =
        check(martlet_queue_poll(get(), messages_max, timeout_ms, &batch, error), error);
    if (status == MARTLET_OK) out = Batch(batch);
    return status;
  }
  void set_wake(martlet_wake_fn fn, void* user_data, martlet_user_data_free_fn user_data_free) {
    ErrorOut error;
    check(martlet_queue_set_wake(get(), fn, user_data, user_data_free, error), error);
  }
  int descriptor() {
    ErrorOut error;
    int32_t fd = -1;
    check(martlet_queue_descriptor(get(), &fd, error), error);
    return fd;
  }
  void notify_ready(const Queue& target, int64_t cookie) {
    ErrorOut error;
    check(martlet_queue_notify_ready(get(), target.get(), cookie, error), error);
  }
  void close() { martlet_queue_close(get(), nullptr); }
  void reset() { queue_.reset(); }
  martlet_queue* get() const { return queue_.get(); }

 private:
  Owned<martlet_queue, martlet_queue_free> queue_;
};

}  // namespace martlet::cpp
