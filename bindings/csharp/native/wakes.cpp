// SPDX-License-Identifier: Apache-2.0
//
// Owns the list of wakes.h. Each watched queue has a share of it, so that list and queues may end
// in any order. Nothing is thrown: a note that finds no memory is kept as "some were lost", and the
// waiting thread is then told every number that was ever watched.
#include "wakes.h"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <new>
#include <set>

namespace {

class List {
 public:
  void note(int64_t id) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      try {
        noted_.push_back(id);
      } catch (const std::bad_alloc&) {
        lost_ = true;
      }
    }
    changed_.notify_one();
  }

  void watch(int64_t id) {
    const std::lock_guard<std::mutex> lock(mutex_);
    watched_.insert(id);
  }

  void forget(int64_t id) {
    const std::lock_guard<std::mutex> lock(mutex_);
    watched_.erase(id);
  }

  void close() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      closed_ = true;
    }
    changed_.notify_all();
  }

  int32_t wait(int64_t* ids, int32_t ids_max) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return !noted_.empty() || lost_ || closed_; });
    if (lost_ && noted_.empty()) note_all_locked();
    int32_t count = 0;
    while (count < ids_max && !noted_.empty()) {
      ids[count++] = noted_.front();
      noted_.pop_front();
    }
    return count > 0 || !closed_ ? count : -1;
  }

 private:
  void note_all_locked() {
    try {
      noted_.assign(watched_.begin(), watched_.end());
      lost_ = false;
    } catch (const std::bad_alloc&) {
      noted_.clear();  // The next wait tries again.
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<int64_t> noted_;
  std::set<int64_t> watched_;
  bool lost_ = false;
  bool closed_ = false;
};

struct Watch {
  std::shared_ptr<List> list;  // Shared: the list may be freed before the queue.
  int64_t id;
};

void on_wake(void* user_data) {
  const Watch* watch = static_cast<const Watch*>(user_data);
  watch->list->note(watch->id);
}

void free_watch(void* user_data) {
  const std::unique_ptr<Watch> watch(static_cast<Watch*>(user_data));
  watch->list->forget(watch->id);
}

}  // namespace

struct martlet_wakes {
  std::shared_ptr<List> list;  // Shared with every watched queue.
};

martlet_wakes* martlet_wakes_new(void) {
  try {
    return new martlet_wakes{std::make_shared<List>()};
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

martlet_status martlet_wakes_watch(martlet_wakes* self, martlet_queue* queue, int64_t id) {
  std::unique_ptr<Watch> watch;
  try {
    watch = std::make_unique<Watch>(Watch{self->list, id});
    self->list->watch(id);
  } catch (const std::bad_alloc&) {
    return MARTLET_ERR_NO_MEMORY;
  }
  const martlet_status status =
      martlet_queue_set_wake(queue, on_wake, watch.get(), free_watch, nullptr);
  if (status == MARTLET_OK) watch.release();
  return status;
}

void martlet_wakes_note(martlet_wakes* self, int64_t id) { self->list->note(id); }

int32_t martlet_wakes_wait(martlet_wakes* self, int64_t* ids, int32_t ids_max) {
  const std::shared_ptr<List> list = self->list;
  return list->wait(ids, ids_max);
}

void martlet_wakes_close(martlet_wakes* self) { self->list->close(); }

void martlet_wakes_free(martlet_wakes* self) {
  if (self == nullptr) return;
  self->list->close();
  delete self;
}
