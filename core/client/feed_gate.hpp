// SPDX-License-Identifier: Apache-2.0
//
// Owns what becomes of a completion that is offered to a queue: taken, refused, in place of an
// older one, or not now; who was told to stop reading and is to hear of room; and that a
// subscription that loses messages is told of once per episode. Guarded by the queue's lock.
#pragma once

#include <cstdint>
#include <vector>

#include "client/completion_store.hpp"
#include "client/feed_accounts.hpp"

namespace martlet::client {

/// A source that was told to stop at a full queue, and hears when there is room. Called on the
/// consumer's thread, without the queue's lock; must not call the queue.
class FeedSource {
 public:
  virtual void on_queue_room() = 0;

 protected:
  ~FeedSource() = default;
};

/// What became of a message.
enum class FeedVerdict : uint8_t {
  taken,    // It waits in the queue.
  refused,  // Dropped by policy, counted.
  blocked,  // Not taken: stop reading; the same message must be offered again after
            // on_queue_room().
};

class FeedGate {
 public:
  FeedGate(const QueueOptions& options, FeedAccounts& accounts, CompletionStore& store)
      : options_(options), accounts_(accounts), store_(store) {}
  FeedGate(const FeedGate&) = delete;
  FeedGate& operator=(const FeedGate&) = delete;

  /// A message of a subscription: the bounds decide. `source` hears of room after `blocked`.
  FeedVerdict offer(const Completion& completion, FeedAccount* account, FeedSource* source);
  /// Anything else is bounded by what the program asked for, and taken: false only when there is no
  /// memory, or (events and log lines) far above the bound.
  bool add(const Completion& completion);

  /// Takes those off the list for whom there is room now.
  std::vector<FeedSource*> take_ready();
  bool is_anybody_blocked() const { return !blocked_.empty(); }
  void forget_source(FeedSource* source);
  /// Who waits for the room of this account waits for the queue's alone.
  void forget_account(FeedAccount* account);

 private:
  struct Blocked {
    FeedSource* source;
    FeedAccount* account;  // Whose bound it waits for; null: the queue's.
  };

  FeedVerdict block(FeedSource* source, FeedAccount* account);
  FeedVerdict refuse(const Completion& completion, FeedAccount* account);
  static uint64_t latest_of(const Completion& completion, const FeedAccount* account);
  FeedAccounts::Replaced replaced_by(uint64_t latest);
  bool drop_oldest_of(FeedAccount* account);
  bool drop_oldest(const Completion& incoming);
  void note_slow(const Completion& completion, FeedAccount* account);

  const QueueOptions& options_;
  FeedAccounts& accounts_;
  CompletionStore& store_;
  std::vector<Blocked> blocked_;
};

}  // namespace martlet::client
