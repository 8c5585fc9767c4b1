// SPDX-License-Identifier: Apache-2.0
//
// Owns the one completion queue: everything that a program hears from subscriptions, requests,
// flushes, connections and servers' logs passes through one of these, in batches, in the order of
// arrival. Bounded in messages and bytes; what happens at the bound is a policy, of the queue and
// of each subscription. It does no I/O and knows no protocol.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "client/completion_block.hpp"
#include "io/fork_guard.hpp"
#include "io/wake_descriptor.hpp"

namespace martlet::client {

/// What happens to a message that would pass a bound.
enum class FullPolicy : uint8_t {
  block_reader,  // The socket is not read until there is room: the server buffers, and in the end
                 // judges us slow.
  refuse_new,    // The new message is dropped.
  drop_oldest,   // The oldest message in the bound's scope is dropped.
  keep_latest_of_each_subject,  // A message replaces the waiting one of its subject; a new subject
                                // at the bound is refused.
};

struct QueueOptions {
  int64_t messages_max = 65536;
  int64_t bytes_max = 64 * 1024 * 1024;  // Descriptors and bytes of what waits.
  FullPolicy full_policy =
      FullPolicy::block_reader;  // keep_latest_of_each_subject counts here as refuse_new.
  int64_t spin_us = 0;           // How long poll() looks without sleeping before it sleeps.
};

/// The bounds of one subscription inside its queue. 0: only the queue's own bound.
struct FeedOptions {
  int64_t messages_max = 0;
  int64_t bytes_max = 0;
  FullPolicy full_policy = FullPolicy::block_reader;
};

/// What a queue keeps per subscription; touched under the queue's lock. Belongs to the queue.
struct FeedAccount {
  FeedOptions options;
  int32_t sid = 0;
  int64_t cookie = 0;
  int64_t messages = 0;  // Waiting in the queue.
  int64_t bytes = 0;
  int64_t dropped_total = 0;  // Refused or dropped at a bound, ever.
  bool slow = false;          // Inside an episode at the bound; ends when half of it is free again.
  bool closed = false;        // Goes when its last entry has gone.
  std::deque<uint64_t> order;  // Ids of waiting entries; only for drop_oldest.
  std::unordered_map<std::string, uint64_t>
      latest;  // Subject -> id; only for keep_latest_of_each_subject.
};

/// A source that was told to stop at a full queue, and hears when there is room. Called on the
/// consumer's thread, without the queue's lock; must not call the queue.
class FeedSource {
 public:
  virtual void on_queue_room() = 0;

 protected:
  ~FeedSource() = default;
};

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

/// Everything of a completion but its place. Views are copied before the call returns.
struct Completion {
  CompletionKind kind = CompletionKind::message;
  int32_t flags = 0;
  int32_t status = 0;
  int32_t sid = 0;
  int64_t cookie = 0;
  int64_t received_ns = 0;
  std::string_view subject;
  std::string_view reply;
  std::string_view headers;
  std::string_view data;
};

/// Copies a completion: its bytes to `to`, inside the block that begins at `base`.
void fill_descriptor(CompletionDescriptor& descriptor, char* to, const char* base,
                     const Completion& completion);

/// What became of a message.
enum class FeedVerdict : uint8_t {
  taken,    // It waits in the queue.
  refused,  // Dropped by policy, counted.
  blocked,  // Not taken: stop reading; the same message must be offered again after
            // on_queue_room().
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

  struct Filled {
    int32_t count = 0;         // Descriptors at the start of the buffer.
    int64_t bytes = 0;         // Of the buffer that are used.
    int64_t bytes_needed = 0;  // With count 0: the first entry alone needs this many.
  };
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
    explicit Feed(CompletionQueue& queue) : queue_(queue), lock_(queue.mutex_) {}
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

  int64_t messages() const { return waiting_messages_.load(std::memory_order_acquire); }
  const QueueOptions& options() const { return options_; }

 private:
  CompletionQueue(const Clock& clock, const QueueOptions& options, io::ForkGuard fork_guard)
      : clock_(clock), options_(options), fork_guard_(std::move(fork_guard)) {}

  struct BlockedSource {
    FeedSource* source;
    FeedAccount* account;  // Whose bound it waits for; null: the queue's.
  };
  static constexpr size_t block_bytes_min = 4096;
  static constexpr size_t block_bytes_max = 65536;

  FeedVerdict offer(const Completion& completion, FeedAccount* account, FeedSource* source);
  FeedVerdict block(FeedSource* source, FeedAccount* account);
  FeedVerdict refuse(const Completion& completion, FeedAccount* account);
  void note_slow(const Completion& completion, FeedAccount* account);
  bool append(const Completion& completion, FeedAccount* account);
  CompletionBlock* block_with_room(size_t bytes);
  WakeUp finish_feed(std::unique_lock<std::mutex>& lock, bool appended);
  bool is_account_over(const FeedAccount& account, int64_t bytes) const;
  bool is_queue_over(int64_t bytes) const;
  bool drop_oldest_of_account(FeedAccount* account);
  bool drop_oldest_of_queue(const Completion& incoming);
  void drop_entry(CompletionBlock* block, uint32_t index);
  bool find_entry(uint64_t id, CompletionBlock** out_block, uint32_t* out_index);
  void forget_entry(CompletionBlock* block, uint32_t index);
  void compact_if_sparse();
  void pass_over_dropped();
  Batch take(uint32_t messages_max);
  Batch take_live_copy(CompletionBlock* block, uint32_t messages_max);
  Filled fill(char* buffer, int64_t buffer_bytes, int32_t messages_max);
  void finish_take(std::unique_lock<std::mutex>& lock);
  bool has_room_for(const BlockedSource& blocked) const;
  bool wait_for_entries(int64_t timeout_ns);
  Error nothing_came() const;

  const Clock& clock_;
  const QueueOptions options_;
  const io::ForkGuard fork_guard_;
  mutable std::mutex mutex_;
  std::deque<CompletionBlock*>
      blocks_;                // GUARDED_BY mutex_; the last one is being filled unless sealed.
  bool last_sealed_ = false;  // GUARDED_BY mutex_
  size_t next_block_bytes_ = block_bytes_min;  // GUARDED_BY mutex_
  int64_t waiting_bytes_ = 0;                  // GUARDED_BY mutex_
  int64_t dropped_bytes_ = 0;  // GUARDED_BY mutex_; of dropped entries whose blocks still stand.
  std::atomic<int64_t> waiting_messages_{0};    // Changed under mutex_, read without.
  uint64_t next_id_ = 1;                        // GUARDED_BY mutex_
  std::unordered_set<FeedAccount*> accounts_;   // GUARDED_BY mutex_; owned.
  std::vector<BlockedSource> blocked_sources_;  // GUARDED_BY mutex_
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
