// SPDX-License-Identifier: Apache-2.0
//
// Owns the one thread that does what is too slow for a loop (bcrypt). It is made when the first
// such work comes. Bounded; what finds no room or no memory is dropped, and its client runs into
// the time limit for authentication.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace martlet::net {

class SlowWorker {
 public:
  static constexpr size_t tasks_max = 1024;

  SlowWorker() = default;
  ~SlowWorker() { stop(); }
  SlowWorker(const SlowWorker&) = delete;
  SlowWorker& operator=(const SlowWorker&) = delete;

  /// Any thread. False when there is no room or no thread, or after stop().
  bool run(std::function<void()> task);
  /// Finishes the task under way, drops the others.
  void stop();

 private:
  bool start_thread();
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;  // GUARDED_BY mutex_
  bool stopping_ = false;                    // GUARDED_BY mutex_
  std::thread thread_;                       // GUARDED_BY mutex_ until stopping_
};

}  // namespace martlet::net
