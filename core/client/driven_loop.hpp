// SPDX-License-Identifier: Apache-2.0
//
// Owns who turns the event loop of one or more connections: whoever waits (one leads, the others
// sleep until their own thing has happened), the program that the loop is lent to, or a thread of
// ours, which steps aside for a waiter: a reply then needs no hop between threads.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "client/completion_queue.hpp"
#include "io/loop.hpp"

namespace martlet::client {

/// What lives on a driven loop. Called by whoever leads, one at a time.
class LoopMember {
 public:
  /// Somebody is about to sleep on the loop: what waits to be written should go. Answers in how
  /// many nanoseconds it wants a turn; below 0: any time.
  virtual int64_t on_before_wait(bool is_keeper) = 0;
  /// At the end of each turn and after a wake-up. Answers as on_before_wait().
  virtual int64_t on_turn(bool is_keeper) = 0;
  /// A spinning waiter starts, looks, stops.
  virtual void on_spin(bool spinning) = 0;
  virtual void on_look() = 0;
  /// The descriptor that is all this member waits for, or -1; and what to do when it is readable.
  /// With one member a waiter then waits on it without the loop's machinery, which costs as much as
  /// the wait itself.
  virtual int direct_descriptor() = 0;
  virtual void on_direct_readable() = 0;

 protected:
  ~LoopMember() = default;
};

/// Shared by the connections on it and by the queue that they feed, since each of them may end
/// first.
class DrivenLoop final : public QueueDriver, public std::enable_shared_from_this<DrivenLoop> {
 public:
  /// `with_descriptor`: for a loop that is lent to the program.
  static Result<std::shared_ptr<DrivenLoop>> create(const Clock& clock, bool with_descriptor);
  ~DrivenLoop() override;

  // QueueDriver. drive_until() inside a call of the loop itself looks once and returns.
  void drive_until(const std::function<bool()>& is_ready, int64_t timeout_ns) override;
  void spin_until(const std::function<bool()>& is_ready, int64_t spin_ns) override;
  void interrupt() override;

  /// Runs `task` as if on the loop's thread, and returns when it has run. Also from inside the
  /// loop. False when it found no memory.
  bool run_on_loop(const std::function<void()>& task);
  /// Only inside run_on_loop() or the loop's calls.
  void add_member(LoopMember* member);
  void remove_member(LoopMember* member);

  /// One turn that does not sleep. For the program that the loop is lent to.
  void process();
  /// In how long a turn is wanted; below 0: any time. As the last turn left it: what is begun on
  /// another thread meanwhile makes the descriptor readable. Any thread.
  int64_t next_timeout_ns() const;
  int descriptor() const { return loop_->descriptor(); }

  /// Counted: the thread runs while somebody needs it. Fails, and does not count, when there is no
  /// thread to be had.
  Status start_keeper();
  void stop_keeper();

  /// Asks who turns the loop at this moment for one turn more; false when nobody does.
  bool ask_for_turn();
  /// Whether somebody is turning the loop at this moment. A hint.
  bool is_led() const { return led_.load(std::memory_order_acquire); }
  /// Whether this thread is inside the loop.
  bool is_inside() const {
    return leader_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }

  io::Loop& loop() { return *loop_; }
  const Clock& clock() const { return clock_; }

 private:
  DrivenLoop(const Clock& clock, bool is_lent) : clock_(clock), is_lent_(is_lent) {}
  void turn(std::unique_lock<std::mutex>& lock, int64_t timeout_ns, bool is_keeper);
  void look_once(const std::function<bool()>& is_ready);
  void keep();
  bool wait_directly(int64_t* timeout_ns);
  bool look_directly();

  void publish_next_turn();
  void want_turn_in(int64_t delay_ns);

  const Clock& clock_;
  const bool is_lent_;
  std::unique_ptr<io::Loop> loop_;
  std::vector<LoopMember*> members_;  // Only the leader.
  int64_t wanted_turn_ns_ = -1;       // Only the leader: when a member wants another turn.

  std::atomic<int64_t> next_turn_ns_{-1};  // Written by the leader; only for a lent loop.
  mutable std::mutex mutex_;
  std::condition_variable changed_;  // A turn ended, or somebody else changed what others wait for.
  std::condition_variable keeper_wake_;
  std::atomic<std::thread::id> leader_{};
  std::atomic<bool> led_{false};
  bool keeper_leads_ = false;   // GUARDED_BY mutex_
  bool turn_asked_ = false;     // GUARDED_BY mutex_; who leads does not leave before one more turn.
  int waiters_ = 0;             // GUARDED_BY mutex_; in drive_until, the keeper not counted.
  int64_t waiter_left_ns_ = 0;  // GUARDED_BY mutex_
  int keeper_users_ = 0;        // GUARDED_BY mutex_
  bool keeper_stops_ = false;   // GUARDED_BY mutex_
  bool keeper_sleeps_ = false;  // GUARDED_BY mutex_; until the last waiter wakes it.
  std::thread keeper_;          // GUARDED_BY mutex_
};

}  // namespace martlet::client
