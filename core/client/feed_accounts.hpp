// SPDX-License-Identifier: Apache-2.0
//
// Owns the books of a completion queue: what waits in all and of each subscription, and the bounds
// of both. It answers whether something is over a bound; what then happens is decided in
// client/feed_gate. Guarded by the queue's lock, but for messages().
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace martlet::client {

/// What happens to a message that would pass a bound.
enum class FullPolicy : uint8_t {
  block_reader,  // The socket is not read until there is room, for nobody on the connection: the
                 // server buffers, and in the end judges us slow.
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

class FeedAccounts {
 public:
  explicit FeedAccounts(const QueueOptions& options) : options_(options) {}
  ~FeedAccounts();
  FeedAccounts(const FeedAccounts&) = delete;
  FeedAccounts& operator=(const FeedAccounts&) = delete;

  /// As CompletionStore::abandon().
  void abandon();

  FeedAccount* open(const FeedOptions& options, int32_t sid, int64_t cookie);
  /// Nobody names the account any more; it goes with its last entry, or at once.
  void close(FeedAccount* account);

  /// Puts an entry on the books; `account` null: of no subscription.
  void enter(FeedAccount* account, uint64_t id, uint32_t bytes, std::string_view subject) {
    waiting_bytes_ += bytes;
    if (account != nullptr) {
      ++account->messages;
      account->bytes += bytes;
      if (account->options.full_policy >= FullPolicy::drop_oldest) remember(account, id, subject);
    }
    waiting_messages_.store(waiting_messages_.load(std::memory_order_relaxed) + 1,
                            std::memory_order_release);
  }
  /// Takes an entry off the books, because it leaves or because it is dropped. The account of a
  /// closed subscription is gone after its last.
  void leave(FeedAccount* account, uint64_t id, uint32_t bytes, std::string_view subject) {
    waiting_messages_.store(waiting_messages_.load(std::memory_order_relaxed) - 1,
                            std::memory_order_release);
    waiting_bytes_ -= bytes;
    if (account == nullptr) return;
    --account->messages;
    account->bytes -= bytes;
    if (account->options.full_policy >= FullPolicy::drop_oldest) forget(account, id, subject);
    if (account->slow && has_room(account)) account->slow = false;
    if (account->closed && account->messages == 0) remove(account);
  }

  /// What goes when a message is taken: nothing, or the one that it replaces.
  struct Replaced {
    int64_t messages = 0;
    int64_t bytes = 0;
  };

  bool is_account_over(const FeedAccount& account, int64_t bytes, Replaced replaced) const {
    const int64_t waiting = account.messages - replaced.messages;
    if (waiting == 0) return false;
    const FeedOptions& bounds = account.options;
    if (bounds.messages_max > 0 && waiting >= bounds.messages_max) return true;
    return bounds.bytes_max > 0 && account.bytes - replaced.bytes + bytes > bounds.bytes_max;
  }
  bool is_queue_over(int64_t bytes, Replaced replaced) const {
    const int64_t waiting = waiting_messages_.load(std::memory_order_relaxed) - replaced.messages;
    if (waiting == 0) return false;  // A single message is never too large for an empty queue.
    return waiting >= options_.messages_max ||
           waiting_bytes_ - replaced.bytes + bytes > options_.bytes_max;
  }
  /// Whether half of the bounds is free: the queue's, and the account's if one is named.
  bool has_room(const FeedAccount* account) const;

  /// Any thread, without the lock.
  int64_t messages() const { return waiting_messages_.load(std::memory_order_acquire); }
  int64_t bytes() const { return waiting_bytes_; }

 private:
  static void remember(FeedAccount* account, uint64_t id, std::string_view subject);
  static void forget(FeedAccount* account, uint64_t id, std::string_view subject);
  void remove(FeedAccount* account);

  const QueueOptions& options_;
  std::unordered_set<FeedAccount*> accounts_;  // Owned.
  std::atomic<int64_t> waiting_messages_{0};
  int64_t waiting_bytes_ = 0;
};

}  // namespace martlet::client
