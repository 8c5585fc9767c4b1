// SPDX-License-Identifier: Apache-2.0
//
// Owns one event loop: descriptors, timers and work posted from other threads, over one libevent
// base. It installs no signal handler and touches no process-wide state. Everything but post(),
// wake() and stop() belongs to the loop's thread. Whatever it calls may run out of memory: the call
// is over then, and the loop goes on.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/timer_wheel.hpp"

struct event;
struct event_base;

namespace martlet::io {

class Loop;

/// Gets told that a descriptor can be read or written. Called on the loop's thread.
class FdHandler {
 public:
  virtual void on_fd_ready(bool readable, bool writable) = 0;

 protected:
  ~FdHandler() = default;
};

/// Interest in one descriptor, level-triggered. The descriptor stays its owner's; close it after
/// this object is gone.
class FdWatch {
 public:
  FdWatch(Loop& loop, int fd, FdHandler& handler);
  ~FdWatch();
  FdWatch(const FdWatch&) = delete;
  FdWatch& operator=(const FdWatch&) = delete;

  /// Says what to wait for; cheap when nothing changes. Fails with out_of_memory or io.
  Status set_interest(bool read, bool write);
  bool wants_read() const { return read_; }
  bool wants_write() const { return write_; }

 private:
  static void on_event(int fd, short what, void* self);
  Loop& loop_;
  FdHandler& handler_;
  event* event_ = nullptr;
  int fd_;
  bool read_ = false;
  bool write_ = false;
};

/// Something that a spinning loop looks at itself, so that nobody need wake it through a
/// descriptor. Called on the loop's thread.
class SpinTarget {
 public:
  /// From now on the loop looks, or it does not any more and must be woken. Adds and removes no
  /// targets.
  virtual void on_spin(bool spinning) = 0;
  virtual bool has_work() const = 0;
  /// Does it. May remove targets, also itself.
  virtual void on_work() = 0;

 protected:
  ~SpinTarget() = default;
};

/// Lifecycle: create, then run() on one thread until stop(). Work posted after the end of run() is
/// dropped with the loop.
class Loop {
 public:
  using Task = std::function<void()>;

  /// `with_descriptor`: the loop can be nested in another one through descriptor(). Fails with io
  /// when fewer than about a dozen descriptors are free: a margin, because libevent ends the
  /// process when other threads take the last ones just while it opens its own.
  static Result<std::unique_ptr<Loop>> create(const Clock& clock, bool with_descriptor = false);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Turns until stop(). Each turn: wait, descriptors, timers, posted work, then on_turn_end.
  void run();
  /// One turn that waits at most `timeout_ns` (0: does not wait; below 0: without limit). For a
  /// loop that a caller drives.
  void run_once(int64_t timeout_ns);
  /// Ends run() after the current turn. Any thread.
  void stop();

  /// Runs `task` on the loop's thread in one of its next turns. Any thread. One wake-up per empty
  /// -> non-empty.
  void post(Task task);
  /// Makes the loop turn once, so that on_wake runs. Any thread; cheap when a wake-up is already on
  /// its way.
  void wake();
  /// A wake-up is on its way. Any thread.
  bool is_woken() const { return wake_sent_.load(std::memory_order_acquire); }
  /// Called at the start of a turn's work after wake(); set before run().
  void set_on_wake(Task on_wake) { on_wake_ = std::move(on_wake); }
  /// Called at the end of every turn; set before run(). Answers whether the next turn must not
  /// wait.
  void set_on_turn_end(std::function<bool()> on_turn_end) { on_turn_end_ = std::move(on_turn_end); }
  /// Called after something that the loop called has thrown std::bad_alloc; set before run(). Who
  /// owns what the work was done for has caught it already, so this is for what nobody owns.
  void set_on_out_of_memory(Task on_out_of_memory) {
    on_out_of_memory_ = std::move(on_out_of_memory);
  }
  /// For so long each turn looks without sleeping before it sleeps; set before run(). It trades a
  /// core for the time that waking a thread takes.
  void set_spin_ns(int64_t spin_ns) { spin_ns_ = spin_ns; }
  /// Also looks at `target` while it spins, until remove_spin_target(), which must come before it
  /// goes away; on the loop only. A loop that does not spin, or has enough of them, takes none. For
  /// loops that run(): who waits on descriptor() is not woken by what the loop would look at.
  void add_spin_target(SpinTarget& target);
  void remove_spin_target(SpinTarget& target);

  void start_timer(Timer& timer, int64_t delay_ns) { wheel_.start(timer, now_ns() + delay_ns); }
  void stop_timer(Timer& timer) { wheel_.stop(timer); }

  /// The clock at the start of this turn: cheap, and equal for everything that one turn does.
  int64_t now_ns() const { return now_ns_; }
  const Clock& clock() const { return clock_; }
  /// A descriptor that is readable while the loop has something to do, for nesting it in another
  /// loop, which then calls run_once(0), also after next_timeout_ns(). -1 unless made
  /// with_descriptor.
  int descriptor() const;
  /// Readable after wake() and post(), until the next turn: for who waits on few descriptors
  /// himself.
  int wake_descriptor() const { return wake_fd_; }
  /// Nanoseconds until a timer wants a turn; -1: none does.
  int64_t next_timeout_ns() const;
  event_base* base() { return base_; }

 private:
  class WakeHandler;
  explicit Loop(const Clock& clock);
  Status open(bool with_descriptor);
  void wait_until(int64_t deadline_ns);
  bool spin(int64_t timeout_ns);
  void set_looking(bool looking);
  void look_at_targets();
  static void on_wait_over(int fd, short what, void* self);
  void refresh_now() {
    if (now_is_fresh_) return;
    now_is_fresh_ = true;
    now_ns_ = clock_.monotonic_ns();
  }
  void take_posted();
  void tell_out_of_memory();
  template <typename Work>
  void contain(Work&& work);

  const Clock& clock_;
  event_base* base_ = nullptr;
  std::unique_ptr<FdWatch> wake_watch_;
  std::unique_ptr<WakeHandler> wake_handler_;
  event* timer_event_ = nullptr;
  int64_t armed_ns_ = -1;  // When timer_event_ fires; -1: it does not.
  int wake_fd_ = -1;
  int mirror_fd_ = -1;  // An epoll set with the same interests as base_, if there is a descriptor.
  std::atomic<bool> wake_sent_{false};
  std::atomic<bool> stop_{false};
  std::mutex posted_mutex_;
  std::vector<Task> posted_;  // GUARDED_BY posted_mutex_
  Task on_wake_;
  std::function<bool()> on_turn_end_;
  Task on_out_of_memory_;
  int64_t now_ns_;
  bool now_is_fresh_ = false;  // Read since the loop last waited.
  TimerWheel wheel_;
  bool turn_at_once_ = false;
  int64_t spin_ns_ = 0;
  std::vector<SpinTarget*> spin_targets_;
  bool is_looking_ = false;  // At them: they have been told.
  uint32_t looks_since_poll_ = 0;
  friend class FdWatch;
};

}  // namespace martlet::io
