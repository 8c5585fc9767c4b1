// SPDX-License-Identifier: Apache-2.0
//
// Owns the one descriptor by which a connection wakes its asyncio loop: the library's threads note
// which readers have something and write it once per empty -> non-empty; the loop drains it. The
// library's threads never take the GIL, so that a busy interpreter cannot stall them, and nothing
// can go wrong while it shuts down.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "support.hpp"

namespace martlet::python {

struct ReaderObject;

/// Lifecycle: made with a connection, shared with the wake-up callback of each of its queues.
class Notifier {
 public:
  static std::shared_ptr<Notifier> create();
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  /// Any thread, no GIL: the reader of this number has something.
  void note(int64_t number);
  /// The numbers noted so far; ends the readable state. With the GIL.
  std::vector<int64_t> take();
  /// Has something been noted that nobody has taken?
  bool has_noted();
  /// -1 after close().
  int descriptor() const { return fd_; }
  /// Gives the descriptor back; what is noted later wakes nobody.
  void close();

  /// Between these two, what this thread notes does not make the descriptor readable: it is taken
  /// right after. For a loop that turns the connection itself. With the GIL.
  void begin_turn() { turning_.store(std::this_thread::get_id(), std::memory_order_relaxed); }
  void end_turn() { turning_.store(std::thread::id(), std::memory_order_relaxed); }

  /// The readers by number, so that a note about one that is gone finds nothing. With the GIL.
  int64_t add(ReaderObject* reader);
  void remove(int64_t number) { readers_.erase(number); }
  ReaderObject* find(int64_t number) const;

 private:
  explicit Notifier(int fd) : fd_(fd) {}

  std::mutex mutex_;
  std::vector<int64_t> noted_;  // GUARDED_BY mutex_
  bool signalled_ = false;      // GUARDED_BY mutex_; the descriptor is readable.
  std::atomic<std::thread::id> turning_{};
  std::unordered_map<int64_t, ReaderObject*> readers_;
  int64_t next_number_ = 1;
  int fd_;  // Written with mutex_ and the GIL, read with either.
};

/// What a queue's wake-up callback is given.
struct WakeTarget {
  std::shared_ptr<Notifier> notifier;
  int64_t number;
};

}  // namespace martlet::python
