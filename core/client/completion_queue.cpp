// SPDX-License-Identifier: Apache-2.0
//
// Owns the queue's waiting and waking.
#include "client/completion_queue.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

#include "base/cpu_pause.hpp"

namespace martlet::client {
namespace {

Error forked() {
  return Error{ErrorCode::forked, "the queue belongs to the process that this one was forked from"};
}

}  // namespace

Result<std::shared_ptr<CompletionQueue>> CompletionQueue::create(const Clock& clock,
                                                                 const QueueOptions& options) {
  if (options.messages_max < 1) return Error{ErrorCode::invalid_options, "messages_max is below 1"};
  if (options.bytes_max < 1) return Error{ErrorCode::invalid_options, "bytes_max is below 1"};
  if (options.spin_us < 0) return Error{ErrorCode::invalid_options, "spin_us is below 0"};
  Result<io::ForkGuard> guard = io::ForkGuard::create();
  if (!guard) return guard.take_error();
  return std::shared_ptr<CompletionQueue>(new CompletionQueue(clock, options, std::move(*guard)));
}

CompletionQueue::~CompletionQueue() {
  if (!fork_guard_.is_forked()) return;
  // The loop behind the driver shares kernel objects with the parent's: the child lets it lie.
  static_cast<void>(new std::shared_ptr<QueueDriver>(std::move(driver_)));
  store_.abandon();
  accounts_.abandon();
}

// --- the consumer ---

Result<Batch> CompletionQueue::poll(int32_t messages_max, int64_t timeout_ns) {
  if (fork_guard_.is_forked()) return forked();
  const uint32_t count_max = messages_max < 1 ? UINT32_MAX : static_cast<uint32_t>(messages_max);
  for (bool waited = false;; waited = true) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      Batch batch = store_.take(count_max);
      finish_take(lock);
      if (batch.count() > 0) return batch;
    }
    if (waited || !wait_for_entries(timeout_ns)) return nothing_came();
  }
}

Result<CompletionQueue::Filled> CompletionQueue::poll_into(char* buffer, int64_t buffer_bytes,
                                                           int32_t messages_max,
                                                           int64_t timeout_ns) {
  if (fork_guard_.is_forked()) return forked();
  if (reinterpret_cast<uintptr_t>(buffer) % alignof(CompletionDescriptor) != 0) {
    return Error{ErrorCode::invalid_argument, "the buffer is not aligned to 8 bytes"};
  }
  for (bool waited = false;; waited = true) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      const Filled filled =
          store_.fill(buffer, std::min<int64_t>(buffer_bytes, INT32_MAX), messages_max);
      finish_take(lock);
      if (filled.count > 0 || filled.bytes_needed > 0) return filled;
    }
    if (waited || !wait_for_entries(timeout_ns)) return nothing_came();
  }
}

Error CompletionQueue::nothing_came() const {
  if (closed_.load(std::memory_order_acquire))
    return Error{ErrorCode::closed, "the queue is closed"};
  return Error{ErrorCode::again, ""};
}

bool CompletionQueue::wait_for_entries(int64_t timeout_ns) {
  if (is_ready()) return messages() > 0;
  const auto ready = [this] { return is_ready(); };
  const std::shared_ptr<QueueDriver> driver = this->driver();
  if (timeout_ns == 0) {
    // Nobody else may be reading the sockets: one look at them belongs to asking.
    if (driver != nullptr) driver->drive_until(ready, 0);
    return messages() > 0;
  }
  if (options_.spin_us > 0) {
    const int64_t start = clock_.monotonic_ns();
    const int64_t all = options_.spin_us * ns_per_us;
    if (spin_for_entries(timeout_ns < 0 ? all : std::min(all, timeout_ns), driver.get())) {
      return messages() > 0;
    }
    if (timeout_ns > 0)
      timeout_ns = std::max<int64_t>(0, start + timeout_ns - clock_.monotonic_ns());
  }
  std::unique_lock<std::mutex> lock(mutex_);
  if (driver != nullptr) {
    driving_ = true;
    lock.unlock();
    driver->drive_until(ready, timeout_ns);
    lock.lock();
    driving_ = false;
  } else {
    sleeping_ = true;
    if (timeout_ns < 0) {
      not_empty_.wait(lock, ready);
    } else {
      not_empty_.wait_for(lock, std::chrono::nanoseconds(timeout_ns), ready);
    }
    sleeping_ = false;
  }
  return messages() > 0;
}

bool CompletionQueue::spin_for_entries(int64_t spin_ns, QueueDriver* driver) const {
  if (driver != nullptr) {
    driver->spin_until([this] { return is_ready(); }, spin_ns);
  } else {
    const int64_t until = clock_.monotonic_ns() + spin_ns;
    while (!is_ready() && clock_.monotonic_ns() < until) cpu_pause();
  }
  return is_ready();
}

void CompletionQueue::set_wake(std::function<void()> wake) {
  std::lock_guard<std::mutex> lock(mutex_);
  wake_ = std::move(wake);
}

Result<int> CompletionQueue::descriptor() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!descriptor_) {
    Result<io::WakeDescriptor> made = io::WakeDescriptor::create();
    if (!made) return made.take_error();
    descriptor_.emplace(std::move(*made));
    if (is_ready()) {
      descriptor_->signal();
      signalled_ = true;
    }
  }
  return descriptor_->descriptor();
}

// After a take: arms the wake-up when nothing is left, and tells those who wait for room.
void CompletionQueue::finish_take(std::unique_lock<std::mutex>& lock) {
  if (accounts_.messages() == 0) {
    armed_ = true;
    if (signalled_ && !closed_.load(std::memory_order_relaxed)) {
      descriptor_->clear();
      signalled_ = false;
    }
  }
  if (!gate_.is_anybody_blocked()) return;
  const std::vector<FeedSource*> ready = gate_.take_ready();
  if (ready.empty()) return;
  std::lock_guard<std::mutex> telling(
      telling_mutex_);  // Taken before mutex_ is let go: see remove_source().
  lock.unlock();
  for (FeedSource* source : ready) source->on_queue_room();
}

// --- the feeders ---

FeedAccount* CompletionQueue::open_account(const FeedOptions& options, int32_t sid,
                                           int64_t cookie) {
  std::lock_guard<std::mutex> lock(mutex_);
  return accounts_.open(options, sid, cookie);
}

void CompletionQueue::close_account(FeedAccount* account) {
  std::unique_lock<std::mutex> lock(mutex_);
  gate_.forget_account(account);
  accounts_.close(account);
  finish_take(lock);
}

int64_t CompletionQueue::dropped_total(const FeedAccount* account) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return account->dropped_total;
}

int64_t CompletionQueue::pending_messages(const FeedAccount* account) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return account->messages;
}

int64_t CompletionQueue::pending_bytes(const FeedAccount* account) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return account->bytes;
}

FeedVerdict CompletionQueue::Feed::add_message(const Completion& completion, FeedAccount* account,
                                               FeedSource* source) {
  if (queue_.closed_.load(std::memory_order_relaxed)) return FeedVerdict::refused;
  const uint64_t id_before = queue_.store_.next_id();
  const FeedVerdict verdict = queue_.gate_.offer(completion, account, source);
  if (queue_.store_.next_id() != id_before) appended_ = true;
  return verdict;
}

bool CompletionQueue::Feed::add(const Completion& completion) {
  if (queue_.closed_.load(std::memory_order_relaxed)) return false;
  if (!queue_.gate_.add(completion)) return false;
  appended_ = true;
  return true;
}

CompletionQueue::WakeUp CompletionQueue::finish_feed(std::unique_lock<std::mutex>& lock,
                                                     bool appended) {
  WakeUp wake_up;
  if (appended) {
    if (sleeping_) not_empty_.notify_one();
    if (driving_) wake_up.driver = driver_;
    if (armed_) {
      if (wake_) wake_up.queue = shared_from_this();
      if (descriptor_) {
        descriptor_->signal();
        signalled_ = true;
      }
    }
    armed_ = false;
  }
  lock.unlock();
  return wake_up;
}

void CompletionQueue::remove_source(FeedSource* source) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    gate_.forget_source(source);
  }
  // Whoever took the source off the list before us holds this until it has told it.
  std::lock_guard<std::mutex> telling(telling_mutex_);
}

void CompletionQueue::close() {
  std::shared_ptr<QueueDriver> driver;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closed_.exchange(true, std::memory_order_acq_rel)) return;  // Also by the wake-up below.
    not_empty_.notify_all();
    driver = driver_;
    if (descriptor_) {
      descriptor_->signal();  // Stays so: whoever polls now learns that the queue is closed.
      signalled_ = true;
    }
  }
  if (wake_) wake_();
  if (driver != nullptr) driver->interrupt();
}

std::shared_ptr<QueueDriver> CompletionQueue::driver() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return driver_;
}

void CompletionQueue::set_driver(std::shared_ptr<QueueDriver> driver) {
  std::lock_guard<std::mutex> lock(mutex_);
  driver_ = std::move(driver);
}

}  // namespace martlet::client
