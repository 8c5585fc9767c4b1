// SPDX-License-Identifier: Apache-2.0
//
// Owns the queue of slow work.
#include "net/slow_worker.hpp"

#include "base/out_of_memory.hpp"
#include "io/thread.hpp"

namespace martlet::net {

bool SlowWorker::run(std::function<void()> task) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (stopping_ || tasks_.size() >= tasks_max) return false;
  if (!thread_.joinable() && !start_thread()) return false;
  tasks_.push_back(std::move(task));
  changed_.notify_one();
  return true;
}

bool SlowWorker::start_thread() {
  Result<std::thread> thread = io::start_thread("slow work", [this] { work(); });
  if (!thread) return false;
  thread_ = std::move(*thread);
  return true;
}

void SlowWorker::stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    tasks_.clear();
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void SlowWorker::work() {
  for (;;) {
    std::function<void()> task;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (stopping_) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    (void)fits_into_memory(task);
  }
}

}  // namespace martlet::net
