// SPDX-License-Identifier: Apache-2.0
//
// Owns the memory of one loop that output is gathered in and that large payloads are read into:
// counted pieces, of which it keeps some for their next use. One thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/assert.hpp"
#include "base/memory_budget.hpp"

namespace martlet::broker {

/// A piece of memory, the header of its bytes. Counted: every output segment in it holds one
/// reference, and so does who fills it.
struct alignas(16) Chunk {
  /// Of those that output is gathered in.
  static constexpr uint32_t data_bytes = 32 * 1024 - 32;

  char* data() { return reinterpret_cast<char*>(this + 1); }

  uint32_t references;
  uint32_t used;
  size_t capacity;  // Bytes of data, without what slack stands behind it.
  Chunk* next;      // In a list of the pool.
};

static_assert(sizeof(Chunk) + Chunk::data_bytes == 32 * 1024);

/// The chunks of one loop. Those in use are charged to the budget.
class ChunkPool {
 public:
  /// Those kept are 2 MiB of the usual size, and of others this much: twice what waits for a
  /// receiver before its publishers are paused. Less where `max_memory` is small.
  static constexpr size_t kept_large_bytes_max = 8 * 1024 * 1024;

  explicit ChunkPool(MemoryBudget& budget, uint32_t spare_max = 64);
  ~ChunkPool();
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;

  /// One to gather output in. Null when memory could not be had.
  Chunk* take();
  /// One for what is read, with the parser's slack behind it: a kept one that has `bytes_wanted`
  /// and not much more, where the budget has room for it, otherwise a new one of `bytes`. Null as
  /// above.
  Chunk* take_for_reading(size_t bytes, size_t bytes_wanted);
  void release(Chunk* chunk) {
    MARTLET_ASSERT(chunk->references > 0);
    if (--chunk->references == 0) give_back(chunk);
  }

  /// As release() by the only owner of one that was read into and has become too small: it is not
  /// kept.
  void release_outgrown(Chunk* chunk);

  /// What stands in `chunk` may be borrowed by outputs until end_lending(); takes over a reference.
  void lend(Chunk* chunk);
  /// The lent chunk that a borrowed piece stands in and fills at least by half, so that a reference
  /// to it is better than a copy; null if there is none.
  Chunk* lender_of(const char* data, size_t bytes) const;
  void end_lending();

  bool keeps_large() const { return kept_large_ != nullptr; }
  /// Called now and then: gives back the large ones if none was wanted since the last time.
  void age();
  /// Gives back what it keeps, where memory runs short.
  void shrink() {
    if (budget_.caches_must_shrink()) free_kept();
  }

 private:
  /// Smaller ones that were read into come and go too seldom to be kept.
  static constexpr size_t large_bytes_min = 64 * 1024;
  /// Of smaller ones, and of smaller pieces, a copy costs little.
  static constexpr size_t lender_bytes_min = 32 * 1024;

  Chunk* create(size_t capacity, size_t slack_bytes);
  Chunk* take_kept(size_t bytes_wanted);
  Chunk* hand_out(Chunk* chunk);
  void give_back(Chunk* chunk);
  void keep_large(Chunk* chunk);
  void free_large();
  void free_kept();

  MemoryBudget& budget_;
  Chunk* spare_ = nullptr;       // Of the usual size.
  Chunk* kept_large_ = nullptr;  // The newest first.
  Chunk* lent_ = nullptr;
  Chunk* lent_small_ = nullptr;  // Below lender_bytes_min.
  const size_t kept_bytes_max_;
  size_t kept_large_bytes_ = 0;
  uint32_t spare_count_ = 0;
  uint32_t spare_max_;
  bool large_was_wanted_ = false;  // Since age().
};

}  // namespace martlet::broker
