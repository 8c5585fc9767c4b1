// SPDX-License-Identifier: Apache-2.0
//
// Owns the loop over libevent: one base without locks and without signals, one wake-up descriptor.
#include "io/loop.hpp"

#include <event2/event.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>

#include "base/cpu_pause.hpp"
#include "base/out_of_memory.hpp"

namespace martlet::io {

namespace {

// libevent takes an epoll set and a pair for its signals, and ends the process when the pair cannot
// be had. Nothing can be reserved for it: what is held to be free has to be closed before libevent
// opens its own, and other threads may open theirs in between. So more are asked for than it takes,
// and the promise is bounded: it holds unless others open more than spare_descriptors between
// find_descriptors() and the end of event_base_new_with_config(), which waits for nothing. The
// only other way, a handler for libevent's fatal errors, belongs to the whole process and may not
// return.
constexpr size_t base_descriptors = 3;
constexpr size_t spare_descriptors = 8;

// A look at a target costs a few nanoseconds, one at the descriptors a system call.
constexpr size_t spin_targets_max = 64;
constexpr uint32_t looks_per_poll = 16;
constexpr uint32_t looks_per_busy_turn = 4;

// Whether that many descriptors are free at this moment.
Status find_descriptors() {
  int held[base_descriptors + spare_descriptors];
  size_t count = 0;
  int error = 0;
  while (count < std::size(held)) {
    held[count] = eventfd(0, EFD_CLOEXEC);
    if (held[count] < 0) {
      error = errno;
      break;
    }
    count += 1;
  }
  for (size_t i = 0; i < count; i++) ::close(held[i]);
  if (error == 0) return Status();
  return Status(ErrorCode::io, std::string("no descriptors for an event loop: ") + strerror(error));
}

}  // namespace

// Nothing that the loop calls may throw into libevent, whose frames would be left half done, or out
// of the thread.
template <typename Work>
void Loop::contain(Work&& work) {
  if (!fits_into_memory(work)) tell_out_of_memory();
}

void Loop::tell_out_of_memory() {
  if (on_out_of_memory_) (void)fits_into_memory([this] { on_out_of_memory_(); });
}

FdWatch::FdWatch(Loop& loop, int fd, FdHandler& handler)
    : loop_(loop), handler_(handler), fd_(fd) {}

FdWatch::~FdWatch() {
  if (event_ == nullptr) return;
  if (loop_.mirror_fd_ >= 0 && (read_ || write_))
    epoll_ctl(loop_.mirror_fd_, EPOLL_CTL_DEL, fd_, nullptr);
  event_free(event_);
}

void FdWatch::on_event(int, short what, void* self) {
  // The handler may destroy the watch: nothing of it is touched afterwards.
  Loop& loop = static_cast<FdWatch*>(self)->loop_;
  FdHandler& handler = static_cast<FdWatch*>(self)->handler_;
  loop.refresh_now();
  loop.contain([&] { handler.on_fd_ready((what & EV_READ) != 0, (what & EV_WRITE) != 0); });
}

Status FdWatch::set_interest(bool read, bool write) {
  if (event_ != nullptr && read == read_ && write == write_) return Status();
  const short what = static_cast<short>(EV_PERSIST | (read ? EV_READ : 0) | (write ? EV_WRITE : 0));
  if (event_ == nullptr) {
    event_ = event_new(loop_.base_, fd_, what, &FdWatch::on_event, this);
    if (event_ == nullptr)
      return Status(ErrorCode::out_of_memory, "no memory for a descriptor's event");
  } else {
    event_del(event_);
    event_assign(event_, loop_.base_, fd_, what, &FdWatch::on_event, this);
  }
  if (loop_.mirror_fd_ >= 0) {
    epoll_event mirrored{(read ? EPOLLIN : 0U) | (write ? EPOLLOUT : 0U), {.fd = fd_}};
    const bool was_in = read_ || write_;
    const int operation = !(read || write) ? EPOLL_CTL_DEL : was_in ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (was_in || read || write) epoll_ctl(loop_.mirror_fd_, operation, fd_, &mirrored);
  }
  read_ = read;
  write_ = write;
  if (!read && !write) return Status();
  if (event_add(event_, nullptr) != 0) {
    read_ = write_ = false;  // So that it can be tried again.
    return Status(ErrorCode::io, "the event loop refused descriptor " + std::to_string(fd_));
  }
  return Status();
}

// Empties the wake-up descriptor; what woke the loop is looked at after every wait anyway.
class Loop::WakeHandler final : public FdHandler {
 public:
  explicit WakeHandler(int fd) : fd_(fd) {}
  void on_fd_ready(bool, bool) override {
    uint64_t count = 0;
    [[maybe_unused]] const ssize_t bytes = ::read(fd_, &count, sizeof count);
  }

 private:
  int fd_;
};

Loop::Loop(const Clock& clock) : clock_(clock), now_ns_(clock.monotonic_ns()), wheel_(now_ns_) {}

Result<std::unique_ptr<Loop>> Loop::create(const Clock& clock, bool with_descriptor) {
  std::unique_ptr<Loop> loop(new Loop(clock));
  Status status = loop->open(with_descriptor);
  if (!status) return status.take_error();
  return loop;
}

Status Loop::open(bool with_descriptor) {
  event_config* config = event_config_new();
  if (config == nullptr) return Status(ErrorCode::out_of_memory, "no memory for an event loop");
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_NO_CACHE_TIME);
  // Its slower ways would be tried, with words on the standard error, where the first fails.
  event_config_avoid_method(config, "poll");
  event_config_avoid_method(config, "select");
  Status descriptors = find_descriptors();
  if (!descriptors) {
    event_config_free(config);
    return descriptors;
  }
  base_ = event_base_new_with_config(config);
  event_config_free(config);
  if (base_ == nullptr) {
    return Status(ErrorCode::io, std::string("an event loop cannot be made: ") + strerror(errno));
  }
  timer_event_ = event_new(base_, -1, 0, &Loop::on_wait_over, this);
  if (timer_event_ == nullptr)
    return Status(ErrorCode::out_of_memory, "no memory for an event loop");
  if (with_descriptor) {
    mirror_fd_ = epoll_create1(EPOLL_CLOEXEC);
    if (mirror_fd_ < 0) {
      return Status(ErrorCode::io,
                    std::string("an event loop's descriptor cannot be made: ") + strerror(errno));
    }
  }
  wake_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake_fd_ < 0) {
    return Status(ErrorCode::io,
                  std::string("a wake-up descriptor cannot be made: ") + strerror(errno));
  }
  auto handler = std::make_unique<WakeHandler>(wake_fd_);
  wake_watch_ = std::make_unique<FdWatch>(*this, wake_fd_, *handler);
  wake_handler_ = std::move(handler);
  return wake_watch_->set_interest(true, false);
}

Loop::~Loop() {
  wake_watch_.reset();
  if (timer_event_ != nullptr) event_free(timer_event_);
  if (mirror_fd_ >= 0) ::close(mirror_fd_);
  if (base_ != nullptr) event_base_free(base_);
  if (wake_fd_ >= 0) ::close(wake_fd_);
}

void Loop::run() {
  while (!stop_.load(std::memory_order_acquire)) run_once(-1);
}

void Loop::run_once(int64_t timeout_ns) {
  if (turn_at_once_) timeout_ns = 0;
  now_is_fresh_ = false;
  if (timeout_ns == 0) look_at_targets();
  if (timeout_ns == 0 || spin_ns_ == 0 || !spin(timeout_ns)) {
    if (timeout_ns != 0) {
      set_looking(false);
      wait_until(timeout_ns < 0 ? -1 : clock_.monotonic_ns() + timeout_ns);
    }
    event_base_loop(base_, timeout_ns == 0 ? EVLOOP_NONBLOCK | EVLOOP_ONCE : EVLOOP_ONCE);
  }
  now_ns_ = clock_.monotonic_ns();
  if (wheel_.advance(now_ns_) != 0) tell_out_of_memory();
  if (wake_sent_.load(std::memory_order_acquire)) {
    // Cleared before the work is taken: whoever adds work after this sends a wake-up of its own.
    wake_sent_.store(false, std::memory_order_seq_cst);
    take_posted();
    if (on_wake_) contain([this] { on_wake_(); });
  }
  if (!on_turn_end_) return;
  turn_at_once_ = true;  // Should it fail, it is tried again.
  contain([this] { turn_at_once_ = on_turn_end_(); });
}

// Looks again and again; true when there is something to do. However busy the targets and the
// wake-ups keep it, the descriptors have their look in one of a few turns.
bool Loop::spin(int64_t timeout_ns) {
  const int64_t start = clock_.monotonic_ns();
  int64_t until = start + (timeout_ns < 0 ? spin_ns_ : std::min(spin_ns_, timeout_ns));
  const int64_t timer_delay = wheel_.next_delay_ns(start);
  const bool ends_for_timer = timer_delay >= 0 && start + timer_delay <= until;
  if (ends_for_timer) until = start + timer_delay;
  set_looking(true);
  while (true) {
    look_at_targets();
    const bool found = now_is_fresh_ || wake_sent_.load(std::memory_order_acquire);
    looks_since_poll_ += found ? looks_per_busy_turn : 1;
    if (looks_since_poll_ < looks_per_poll && !spin_targets_.empty()) {
      if (found) return true;
      cpu_pause();
      continue;
    }
    looks_since_poll_ = 0;
    event_base_loop(base_, EVLOOP_NONBLOCK | EVLOOP_ONCE);
    if (found || now_is_fresh_) return true;
    if (clock_.monotonic_ns() >= until) return ends_for_timer;
  }
}

void Loop::set_looking(bool looking) {
  if (looking == is_looking_) return;
  is_looking_ = looking;
  for (SpinTarget* target : spin_targets_) target->on_spin(looking);
}

void Loop::look_at_targets() {
  if (!is_looking_) return;
  // By index: what is done may remove some; who is passed over by that has the next look.
  for (size_t i = 0; i < spin_targets_.size(); i++) {
    SpinTarget* target = spin_targets_[i];
    if (!target->has_work()) continue;
    refresh_now();
    contain([target] { target->on_work(); });
  }
}

void Loop::add_spin_target(SpinTarget& target) {
  if (spin_ns_ == 0 || spin_targets_.size() >= spin_targets_max) return;
  spin_targets_.push_back(&target);
  if (is_looking_) target.on_spin(true);
}

void Loop::remove_spin_target(SpinTarget& target) {
  if (std::erase(spin_targets_, &target) > 0 && is_looking_) target.on_spin(false);
}

// Arms the one timer that ends the wait: for the wheel's next deadline or the caller's, whichever
// is sooner.
void Loop::wait_until(int64_t deadline_ns) {
  const int64_t delay = wheel_.next_delay_ns(now_ns_);
  if (delay >= 0 && (deadline_ns < 0 || now_ns_ + delay < deadline_ns))
    deadline_ns = now_ns_ + delay;
  if (deadline_ns == armed_ns_) return;
  armed_ns_ = deadline_ns;
  if (deadline_ns < 0) {
    event_del(timer_event_);
    return;
  }
  const int64_t left = deadline_ns - clock_.monotonic_ns();
  // Rounded up, so that a loop never spins through the last part of a millisecond.
  const int64_t us = left <= 0 ? 0 : (left + ns_per_us - 1) / ns_per_us;
  const timeval wait{static_cast<time_t>(us / 1000000), static_cast<suseconds_t>(us % 1000000)};
  event_add(timer_event_, &wait);
}

int64_t Loop::next_timeout_ns() const {
  if (turn_at_once_) return 0;
  return wheel_.next_delay_ns(clock_.monotonic_ns());
}

void Loop::on_wait_over(int, short, void* self) { static_cast<Loop*>(self)->armed_ns_ = -1; }

void Loop::take_posted() {
  std::vector<Task> tasks;
  {
    std::lock_guard<std::mutex> lock(posted_mutex_);
    tasks.swap(posted_);
  }
  for (Task& task : tasks) contain(task);
}

void Loop::stop() {
  stop_.store(true, std::memory_order_release);
  wake();
}

void Loop::post(Task task) {
  {
    std::lock_guard<std::mutex> lock(posted_mutex_);
    posted_.push_back(std::move(task));
  }
  wake();
}

void Loop::wake() {
  if (wake_sent_.exchange(true, std::memory_order_seq_cst)) return;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t bytes = ::write(wake_fd_, &one, sizeof one);
}

int Loop::descriptor() const { return mirror_fd_; }

}  // namespace martlet::io
