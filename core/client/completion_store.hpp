// SPDX-License-Identifier: Apache-2.0
//
// Owns the entries that wait in a completion queue, in the order of their arrival: in blocks, out
// as batches or into a caller's buffer, and away when a policy drops one. Memory of dropped entries
// stays below that of the living (and 1 MiB). Keeps the books (client/feed_accounts) for each
// entry; decides nothing. Guarded by the queue's lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "client/completion.hpp"
#include "client/completion_block.hpp"
#include "client/feed_accounts.hpp"

namespace martlet::client {

class CompletionStore {
 public:
  explicit CompletionStore(FeedAccounts& accounts) : accounts_(accounts) {}
  ~CompletionStore();
  CompletionStore(const CompletionStore&) = delete;
  CompletionStore& operator=(const CompletionStore&) = delete;

  /// In a child after fork, where another thread may have been amid a change: lets everything lie.
  void abandon();

  /// Copies an entry in, without asking any bound. False when there is no memory.
  bool append(const Completion& completion, FeedAccount* account);
  /// Rises with every entry that was appended.
  uint64_t next_id() const { return next_id_; }

  /// At most so many of the oldest, and never more than one block holds; empty when nothing waits.
  Batch take(uint32_t messages_max);

  struct Filled {
    int32_t count = 0;         // Descriptors at the start of the buffer.
    int64_t bytes = 0;         // Of the buffer that are used.
    int64_t bytes_needed = 0;  // With count 0: the first entry alone needs this many.
  };
  /// The same, copied: descriptors, then their bytes. `messages_max` below 1: no limit.
  Filled fill(char* buffer, int64_t buffer_bytes, int32_t messages_max);

  /// What one entry takes; 0 when it is not here any more.
  int64_t bytes_of(uint64_t id);
  /// Drops one entry; false when it is not here any more.
  bool drop(uint64_t id);
  struct Dropped {
    bool found = false;            // False: nothing of a subscription waits.
    FeedAccount* loser = nullptr;  // Null: its account went with the entry.
  };
  /// Drops the oldest entry that belongs to a subscription.
  Dropped drop_oldest();

 private:
  static constexpr size_t block_bytes_min = 4096;
  static constexpr size_t block_bytes_max = CompletionBlockPool::block_bytes;

  CompletionBlock* block_with_room(size_t bytes);
  CompletionBlock* new_block(size_t bytes_min);
  Batch take_live_copy(CompletionBlock* block, uint32_t messages_max);
  void leave(CompletionBlock* block, uint32_t index);
  void drop_entry(CompletionBlock* block, uint32_t index);
  bool find(uint64_t id, CompletionBlock** out_block, uint32_t* out_index);
  void pass_over_dropped();
  void compact_if_sparse();

  FeedAccounts& accounts_;
  std::shared_ptr<CompletionBlockPool> pool_;  // Shared with its blocks; null until it is needed.
  std::deque<CompletionBlock*> blocks_;        // The last one is being filled unless sealed.
  bool last_sealed_ = false;
  size_t next_block_bytes_ = block_bytes_min;
  int64_t dropped_bytes_ = 0;  // Of dropped entries whose blocks still stand.
  uint64_t next_id_ = 1;
};

}  // namespace martlet::client
