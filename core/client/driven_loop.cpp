// SPDX-License-Identifier: Apache-2.0
//
// Owns the lead of a loop: taken for one turn at a time, under a mutex that is not held during the
// turn.
#include "client/driven_loop.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/cpu_pause.hpp"
#include "base/out_of_memory.hpp"
#include "io/socket.hpp"
#include "io/thread.hpp"

namespace martlet::client {
namespace {

// For so long after a waiter has left, the keeper leaves the loop to the next one.
constexpr int64_t keeper_grace_ns = 2 * ns_per_ms;
constexpr int keeper_naps_max = 50;  // Of that length, while the same callers wait.
// A direct wait without an event goes over into a turn of the loop; so long timers may be late.
constexpr int64_t direct_wait_ns = 10 * ns_per_ms;

}  // namespace

Result<std::shared_ptr<DrivenLoop>> DrivenLoop::create(const Clock& clock, bool with_descriptor) {
  std::shared_ptr<DrivenLoop> driven(new DrivenLoop(clock, with_descriptor));
  Result<std::unique_ptr<io::Loop>> loop = io::Loop::create(clock, with_descriptor);
  if (!loop) return loop.take_error();
  driven->loop_ = std::move(*loop);
  return driven;
}

DrivenLoop::~DrivenLoop() { MARTLET_ASSERT(!keeper_.joinable()); }

// One turn with the lead. The mutex is held at entry and at exit, not between.
void DrivenLoop::turn(std::unique_lock<std::mutex>& lock, int64_t timeout_ns, bool is_keeper) {
  leader_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  led_.store(true, std::memory_order_release);
  keeper_leads_ = is_keeper;
  turn_asked_ = false;
  lock.unlock();
  if (timeout_ns != 0) {
    for (size_t i = 0; i < members_.size(); ++i) {
      want_turn_in(members_[i]->on_before_wait(is_keeper));
    }
  }
  if (wanted_turn_ns_ >= 0) {
    const int64_t wanted = std::max<int64_t>(0, wanted_turn_ns_ - clock_.monotonic_ns());
    if (timeout_ns < 0 || wanted < timeout_ns) timeout_ns = wanted;
  }
  // The loop's timer is as coarse as the kernel's tick, which a write that waits for a millisecond
  // would feel.
  const bool is_brief = timeout_ns > 0 && timeout_ns <= direct_wait_ns;
  if ((is_keeper && !is_brief) || !wait_directly(&timeout_ns)) loop_->run_once(timeout_ns);
  wanted_turn_ns_ = -1;
  for (size_t i = 0; i < members_.size(); ++i) want_turn_in(members_[i]->on_turn(is_keeper));
  if (is_lent_) publish_next_turn();
  lock.lock();
  led_.store(false, std::memory_order_release);
  leader_.store(std::thread::id(), std::memory_order_relaxed);
  keeper_leads_ = false;
  if (waiters_ > (is_keeper ? 0 : 1)) changed_.notify_all();
}

void DrivenLoop::want_turn_in(int64_t delay_ns) {
  if (delay_ns < 0) return;
  const int64_t at = clock_.monotonic_ns() + delay_ns;
  if (wanted_turn_ns_ < 0 || at < wanted_turn_ns_) wanted_turn_ns_ = at;
}

void DrivenLoop::publish_next_turn() {
  const int64_t left = loop_->next_timeout_ns();
  int64_t at = left < 0 ? -1 : clock_.monotonic_ns() + left;
  if (wanted_turn_ns_ >= 0 && (at < 0 || wanted_turn_ns_ < at)) at = wanted_turn_ns_;
  next_turn_ns_.store(at, std::memory_order_release);
}

int64_t DrivenLoop::next_timeout_ns() const {
  const int64_t at = next_turn_ns_.load(std::memory_order_acquire);
  return at < 0 ? -1 : std::max<int64_t>(0, at - clock_.monotonic_ns());
}

// False when the loop has to be turned, for what is left of the timeout: there is more to wait for,
// or nothing came for a while.
bool DrivenLoop::wait_directly(int64_t* timeout_ns) {
  if (members_.size() != 1) return false;
  const int fd = members_[0]->direct_descriptor();
  if (fd < 0) return false;
  if (*timeout_ns == 0) return look_directly();
  // The loop's clock stands still since its last turn: after a while its timers get one. It may
  // bring what is waited for, so the waiter looks again before anybody sleeps.
  if (clock_.monotonic_ns() - loop_->now_ns() > direct_wait_ns) {
    loop_->run_once(0);
    return true;
  }
  const int64_t wait_ns = *timeout_ns < 0 ? direct_wait_ns : std::min(*timeout_ns, direct_wait_ns);
  const io::ReadablePair ready = io::wait_either_readable(fd, loop_->wake_descriptor(), wait_ns);
  if (!ready.first && !ready.second && *timeout_ns > 0) *timeout_ns -= wait_ns;
  if (!ready.first || ready.second) return false;
  members_[0]->on_direct_readable();
  return true;
}

// Whoever lent the loop calls because its descriptor is readable, and mostly that is the socket: it
// is read without asking once more. False as above.
bool DrivenLoop::look_directly() {
  if (!is_lent_ || loop_->is_woken() || loop_->next_timeout_ns() == 0) return false;
  if (clock_.monotonic_ns() - loop_->now_ns() > direct_wait_ns) return false;
  members_[0]->on_direct_readable();
  return true;
}

void DrivenLoop::drive_until(const std::function<bool()>& is_ready, int64_t timeout_ns) {
  if (is_inside()) return;  // Waiting inside the loop would wait for itself.
  if (timeout_ns == 0) {
    look_once(is_ready);
    return;
  }
  const int64_t deadline = timeout_ns < 0 ? -1 : clock_.monotonic_ns() + timeout_ns;
  std::unique_lock<std::mutex> lock(mutex_);
  ++waiters_;
  if (keeper_leads_) loop_->wake();  // It steps aside after this turn.
  while (!is_ready()) {
    int64_t left = timeout_ns;
    if (timeout_ns > 0) {
      left = deadline - clock_.monotonic_ns();
      if (left <= 0) break;
    }
    if (!led_.load(std::memory_order_relaxed)) {
      turn(lock, left, false);
    } else if (timeout_ns > 0) {
      changed_.wait_for(lock, std::chrono::nanoseconds(left));
    } else {
      changed_.wait(lock);
    }
  }
  --waiters_;
  if (turn_asked_ && !led_.load(std::memory_order_relaxed)) turn(lock, 0, false);
  waiter_left_ns_ = clock_.monotonic_ns();
  if (waiters_ > 0) {
    changed_.notify_all();  // One of them takes the lead.
  } else if (keeper_sleeps_) {
    keeper_sleeps_ = false;
    keeper_wake_.notify_all();
  }
}

// Who does not wait takes no lead from anybody: whoever has it reads the sockets already, and the
// keeper stays where it is, which the next message finds awake.
void DrivenLoop::look_once(const std::function<bool()>& is_ready) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (led_.load(std::memory_order_relaxed) || is_ready()) return;
  turn(lock, 0, false);
  if (turn_asked_ && !led_.load(std::memory_order_relaxed)) turn(lock, 0, false);
  if (waiters_ > 0) changed_.notify_all();  // One of them takes the lead.
}

void DrivenLoop::spin_until(const std::function<bool()>& is_ready, int64_t spin_ns) {
  if (is_inside()) return;
  const int64_t until = clock_.monotonic_ns() + spin_ns;
  std::unique_lock<std::mutex> lock(mutex_);
  if (led_.load(std::memory_order_relaxed)) {
    lock.unlock();
    while (!is_ready() && clock_.monotonic_ns() < until) cpu_pause();
    return;
  }
  leader_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  led_.store(true, std::memory_order_release);
  lock.unlock();
  // By index: what is told may make the program start a connection, which becomes a member.
  for (size_t i = 0; i < members_.size(); ++i) members_[i]->on_before_wait(false);
  for (LoopMember* member : members_) member->on_spin(true);
  for (int round = 0; !is_ready(); ++round) {
    for (size_t i = 0; i < members_.size(); ++i) members_[i]->on_look();
    if (round % 64 == 63) {
      if (clock_.monotonic_ns() >= until) break;
      loop_->run_once(0);
    }
    cpu_pause();
  }
  for (LoopMember* member : members_) member->on_spin(false);
  // What was said or published inside, a PONG at least: nobody was asked to write it.
  bool wants_turn = false;
  for (size_t i = 0; i < members_.size(); ++i) {
    wants_turn = members_[i]->on_turn(false) >= 0 || wants_turn;
  }
  lock.lock();
  led_.store(false, std::memory_order_release);
  leader_.store(std::thread::id(), std::memory_order_relaxed);
  if (turn_asked_ || wants_turn) turn(lock, 0, false);
  waiter_left_ns_ = clock_.monotonic_ns();
  if (waiters_ > 0) changed_.notify_all();
}

void DrivenLoop::interrupt() {
  if (is_inside()) return;
  std::lock_guard<std::mutex> lock(mutex_);
  if (led_.load(std::memory_order_relaxed)) loop_->wake();
  if (waiters_ > 0) changed_.notify_all();
}

bool DrivenLoop::ask_for_turn() {
  if (is_inside()) return true;
  std::lock_guard<std::mutex> lock(mutex_);
  if (!led_.load(std::memory_order_relaxed)) return false;
  turn_asked_ = true;
  loop_->wake();
  return true;
}

bool DrivenLoop::run_on_loop(const std::function<void()>& task) {
  if (is_inside()) return fits_into_memory(task);
  std::atomic<bool> done{false};
  bool fits = false;
  loop_->post([&] {
    fits = fits_into_memory(task);
    done.store(true, std::memory_order_release);
  });
  drive_until([&done] { return done.load(std::memory_order_acquire); }, -1);
  return fits;
}

void DrivenLoop::add_member(LoopMember* member) { members_.push_back(member); }

void DrivenLoop::remove_member(LoopMember* member) { std::erase(members_, member); }

void DrivenLoop::process() {
  if (is_inside()) return;
  std::unique_lock<std::mutex> lock(mutex_);
  if (led_.load(std::memory_order_relaxed)) return;
  turn(lock, 0, false);
  if (waiters_ > 0) changed_.notify_all();  // Of another thread: who lent the loop is none of them.
}

// --- the thread of ours ---

Status DrivenLoop::start_keeper() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (keeper_users_ > 0) {
    ++keeper_users_;
    return Status();
  }
  keeper_stops_ = keeper_sleeps_ = false;
  // The thread holds the loop, because it may be told to stop from inside one of its own calls.
  Result<std::thread> thread =
      io::start_thread("a connection", [self = shared_from_this()] { self->keep(); });
  if (!thread) return thread.take_error();
  keeper_ = std::move(*thread);
  ++keeper_users_;
  return Status();
}

void DrivenLoop::stop_keeper() {
  std::thread ended;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    MARTLET_ASSERT(keeper_users_ > 0);
    if (--keeper_users_ > 0) return;
    keeper_stops_ = true;
    keeper_wake_.notify_all();
    changed_.notify_all();
    loop_->wake();
    ended.swap(keeper_);
  }
  if (ended.get_id() == std::this_thread::get_id()) {
    ended.detach();  // Ended from inside a callback of its own; it leaves by itself.
  } else {
    ended.join();
  }
}

// It steps in when nobody has waited for a moment. Who waits and leaves many times in a moment does
// not pay for telling it: it naps, and looks. Who waits for long tells it when he leaves.
void DrivenLoop::keep() {
  std::unique_lock<std::mutex> lock(mutex_);
  int naps = 0;
  int64_t nap_began_ns = -1;  // When the last waiter had left, as the naps in a row found it.
  while (!keeper_stops_) {
    if (waiters_ == 0 || waiter_left_ns_ != nap_began_ns) naps = 0;
    nap_began_ns = waiter_left_ns_;
    if (naps >= keeper_naps_max) {
      keeper_sleeps_ = true;
      keeper_wake_.wait(lock, [this] { return !keeper_sleeps_ || keeper_stops_; });
      naps = 0;
      continue;
    }
    const int64_t grace_left = waiter_left_ns_ + keeper_grace_ns - clock_.monotonic_ns();
    if (waiters_ > 0 || led_.load(std::memory_order_relaxed) || grace_left > 0) {
      const int64_t nap = waiters_ > 0
                              ? keeper_grace_ns
                              : std::clamp<int64_t>(grace_left, ns_per_ms / 4, keeper_grace_ns);
      ++naps;
      keeper_wake_.wait_for(lock, std::chrono::nanoseconds(nap));
      continue;
    }
    turn(lock, -1, true);
  }
}

}  // namespace martlet::client
