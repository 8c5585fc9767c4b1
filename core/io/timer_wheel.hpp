// SPDX-License-Identifier: Apache-2.0
//
// Owns the timers of one loop: a hierarchical wheel with a tick of 4 ms. Starting and stopping a
// timer costs the same however many there are. A timer fires at its deadline or up to one tick
// later, never earlier. Time is an argument.
#pragma once

#include <cstdint>

namespace martlet::io {

/// A timer that its owner embeds. Lives as long as its owner; stops itself when destroyed. Touched
/// on one thread only.
class Timer {
 public:
  using Callback = void (*)(void* owner);
  Timer(Callback callback, void* owner) : callback_(callback), owner_(owner) {}
  ~Timer() { unlink(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  bool is_running() const { return next_ != nullptr; }
  int64_t deadline_ns() const { return deadline_ns_; }

 private:
  friend class TimerWheel;
  Timer() = default;  // The head of a slot.
  void unlink();
  Timer* next_ = nullptr;
  Timer* previous_ = nullptr;
  class TimerWheel* wheel_ = nullptr;
  int64_t deadline_ns_ = 0;
  Callback callback_ = nullptr;
  void* owner_ = nullptr;
};

class TimerWheel {
 public:
  static constexpr int64_t tick_ns = 4'000'000;

  explicit TimerWheel(int64_t now_ns);
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  /// Starts the timer anew; a running one is moved.
  void start(Timer& timer, int64_t deadline_ns);
  void stop(Timer& timer);
  /// Fires what is due. A callback may start and stop any timer, and destroy its own. Answers how
  /// many of them found no memory: those are over, the others have fired.
  uint64_t advance(int64_t now_ns);
  /// Nanoseconds until advance() has something to do (an early guess is possible, a late one is
  /// not); -1 if no timer.
  int64_t next_delay_ns(int64_t now_ns) const;
  uint64_t count() const { return count_; }

 private:
  friend class Timer;
  static constexpr int level_bits = 6;
  static constexpr int slots = 1 << level_bits;
  static constexpr int levels = 6;

  void place(Timer& timer);
  void cascade(int level);
  uint64_t fire_slot();

  uint64_t tick_;  // Everything up to this tick has fired.
  uint64_t count_ = 0;
  Timer heads_[levels][slots];
};

}  // namespace martlet::io
