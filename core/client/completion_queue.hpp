// SPDX-License-Identifier: Apache-2.0
//
// Owns the one completion queue: everything that a program hears from subscriptions, requests,
// flushes, connections and servers' logs passes through one of these, in batches, in the order of
// arrival. Here are its lock, who waits for entries, and who is woken. What waits is in
// client/completion_store, how much of it in client/feed_accounts, and what happens at a bound in
// client/feed_gate. It does no I/O and knows no protocol.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "client/completion.hpp"
#include "client/completion_block.hpp"
#include "client/completion_store.hpp"
#include "client/feed_accounts.hpp"
#include "client/feed_gate.hpp"
#include "io/fork_guard.hpp"
#include "io/wake_descriptor.hpp"

namespace martlet::client {

/// What makes entries appear while poll() waits, when no other thread does: see
/// client/driven_loop.hpp.
class QueueDriver {
 public:
  virtual ~QueueDriver() = default;
  /// Works until `is_ready` answers true (checked after each piece of work) or `timeout_ns` has
  /// passed (below 0: never).
  virtual void drive_until(const std::function<bool()>& is_ready, int64_t timeout_ns) = 0;
  /// The same without sleeping, for `spin_ns`.
  virtual void spin_until(const std::function<bool()>& is_ready, int64_t spin_ns) = 0;
  /// Makes a drive_until() of another thread look at its condition. Any thread.
  virtual void interrupt() = 0;
};

/// Lifecycle: create, feed from any threads, poll from one thread at a time, close. Shared by its
/// owner and by everything that feeds it, because a connection on a thread of its own may still be
/// feeding when the owner lets go. In a child after fork the copy is inert: a poll fails with
/// `forked`.
class CompletionQueue : public std::enable_shared_from_this<CompletionQueue> {
 public:
  static Result<std::shared_ptr<CompletionQueue>> create(const Clock& clock,
                                                         const QueueOptions& options = {});
  ~CompletionQueue();
  CompletionQueue(const CompletionQueue&) = delete;
  CompletionQueue& operator=(const CompletionQueue&) = delete;

  // --- the consumer: one thread at a time ---

  /// Hands out what waits, at most `messages_max` (below 1: no limit) and never more than one
  /// block. Waits at most `timeout_ns` for the first (0: not at all; below 0: without limit). Fails
  /// with `again` when nothing came, and with `closed` when the queue is closed and empty.
  Result<Batch> poll(int32_t messages_max, int64_t timeout_ns);

  using Filled = CompletionStore::Filled;
  /// As poll(), into the caller's buffer (aligned to 8): descriptors, then their bytes, packed;
  /// offsets count from the buffer's start. An entry that does not fit stays; when the first does
  /// not, `bytes_needed` says what it needs.
  Result<Filled> poll_into(char* buffer, int64_t buffer_bytes, int32_t messages_max,
                           int64_t timeout_ns);

  /// Called once per empty -> non-empty on the thread that fed; must not block, poll or destroy the
  /// queue. Set before use.
  void set_wake(std::function<void()> wake);
  /// A descriptor that is readable while something waits. Made on the first call.
  Result<int> descriptor();

  // --- the feeders: any thread ---

  /// Opens the account of a subscription. The queue owns it; it stays until close_account and its
  /// last entry.
  FeedAccount* open_account(const FeedOptions& options, int32_t sid, int64_t cookie);
  void close_account(FeedAccount* account);
  int64_t dropped_total(const FeedAccount* account) const;
  int64_t pending_messages(const FeedAccount* account) const;
  int64_t pending_bytes(const FeedAccount* account) const;

  /// Who is to be woken after a run of entries. Kept apart, so that a feeder with locks of its own
  /// can let go of them first.
  struct WakeUp {
    std::shared_ptr<CompletionQueue>
        queue;  // Set when the callback is to be called; keeps it alive until then.
    std::shared_ptr<QueueDriver> driver;  // Set when a poll() waits in it.
    void run() const {
      if (queue != nullptr && queue->wake_) queue->wake_();
      if (driver != nullptr) driver->interrupt();
    }
  };

  /// Holds the queue for a run of entries: one lock and one wake-up for all of them.
  class Feed {
   public:
    explicit Feed(CompletionQueue& queue) : Feed(queue, queue.lock()) {}
    /// `lock`: the queue's, held.
    Feed(CompletionQueue& queue, std::unique_lock<std::mutex> lock)
        : queue_(queue), lock_(std::move(lock)) {}
    ~Feed() {
      if (lock_.owns_lock()) end().run();
    }
    /// Lets go of the queue; the wake-up is the caller's to run.
    WakeUp end() { return queue_.finish_feed(lock_, appended_); }
    Feed(const Feed&) = delete;
    Feed& operator=(const Feed&) = delete;

    /// Offers a message of a subscription. The bounds decide. `source` hears of room after
    /// `blocked`.
    FeedVerdict add_message(const Completion& completion, FeedAccount* account, FeedSource* source);
    /// Adds what is not a message of a subscription: it is bounded by what the program asked for,
    /// so always taken; false only when there is no memory, or the queue is closed, or (events and
    /// log lines) far above its bound.
    bool add(const Completion& completion);

   private:
    CompletionQueue& queue_;
    std::unique_lock<std::mutex> lock_;
    bool appended_ = false;
  };

  /// For a Feed. try_lock() may come back without it.
  std::unique_lock<std::mutex> lock() { return std::unique_lock<std::mutex>(mutex_); }
  std::unique_lock<std::mutex> try_lock() {
    return std::unique_lock<std::mutex>(mutex_, std::try_to_lock);
  }

  /// One entry by itself.
  bool add(const Completion& completion) {
    Feed feed(*this);
    return feed.add(completion);
  }
  /// Forgets a source that may be waiting for room; after the return it is not called any more.
  void remove_source(FeedSource* source);

  /// Refuses what comes from now on; what waits can still be polled.
  void close();

  // --- how poll() gets work done when it waits ---

  std::shared_ptr<QueueDriver> driver() const;
  void set_driver(std::shared_ptr<QueueDriver> driver);

  int64_t messages() const { return accounts_.messages(); }
  /// Whether a poll would not wait: something is there, or the queue is closed.
  bool is_ready() const { return messages() > 0 || closed_.load(std::memory_order_acquire); }
  const QueueOptions& options() const { return options_; }

 private:
  CompletionQueue(const Clock& clock, const QueueOptions& options, io::ForkGuard fork_guard)
      : clock_(clock),
        options_(options),
        fork_guard_(std::move(fork_guard)),
        accounts_(options_),
        store_(accounts_),
        gate_(options_, accounts_, store_) {}

  WakeUp finish_feed(std::unique_lock<std::mutex>& lock, bool appended);
  void finish_take(std::unique_lock<std::mutex>& lock);
  bool wait_for_entries(int64_t timeout_ns);
  bool spin_for_entries(int64_t spin_ns, QueueDriver* driver) const;
  Error nothing_came() const;

  const Clock& clock_;
  const QueueOptions options_;
  const io::ForkGuard fork_guard_;
  mutable std::mutex mutex_;
  FeedAccounts accounts_;            // GUARDED_BY mutex_, but for messages().
  CompletionStore store_;            // GUARDED_BY mutex_
  FeedGate gate_;                    // GUARDED_BY mutex_
  std::mutex telling_mutex_;         // Held while sources are told; remove_source() waits for it.
  std::atomic<bool> closed_{false};  // Changed under mutex_, read without.
  bool armed_ = true;                // GUARDED_BY mutex_; the next entry wakes the owner.
  bool sleeping_ = false;            // GUARDED_BY mutex_; poll() waits on the condition.
  bool driving_ = false;             // GUARDED_BY mutex_; poll() waits in the driver.
  std::condition_variable not_empty_;
  std::function<void()> wake_;                    // Set before use.
  std::optional<io::WakeDescriptor> descriptor_;  // GUARDED_BY mutex_
  bool signalled_ = false;                        // GUARDED_BY mutex_
  std::shared_ptr<QueueDriver>
      driver_;  // GUARDED_BY mutex_; shared with the connections that it drives.
};

}  // namespace martlet::client
