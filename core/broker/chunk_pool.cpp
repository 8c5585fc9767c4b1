// SPDX-License-Identifier: Apache-2.0
//
// Owns what is kept and what goes back to the system. Memory of a payload of a mebibyte that came
// from the system anew for each message would cost a page fault for every 4 KiB of it: more than
// the reading and writing of it together.
#include "broker/chunk_pool.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "protocol/parser.hpp"

namespace martlet::broker {
namespace {

constexpr int64_t kept_share = 16;  // Of the budget, for each loop.

void free_chunk(Chunk* chunk) { ::operator delete(chunk, std::align_val_t{alignof(Chunk)}); }

void free_list(Chunk*& first) {
  while (first != nullptr) free_chunk(std::exchange(first, first->next));
}

int64_t charge_of(const Chunk& chunk) {
  return static_cast<int64_t>(sizeof(Chunk) + chunk.capacity);
}

}  // namespace

ChunkPool::ChunkPool(MemoryBudget& budget, uint32_t spare_max)
    : budget_(budget),
      kept_bytes_max_(budget.bytes_max() == 0
                          ? kept_large_bytes_max
                          : std::min(kept_large_bytes_max,
                                     static_cast<size_t>(budget.bytes_max() / kept_share))),
      spare_max_(spare_max) {}

ChunkPool::~ChunkPool() {
  end_lending();
  free_kept();
}

Chunk* ChunkPool::create(size_t capacity, size_t slack_bytes) {
  void* memory = ::operator new(sizeof(Chunk) + capacity + slack_bytes,
                                std::align_val_t{alignof(Chunk)}, std::nothrow);
  if (memory == nullptr) return nullptr;
  Chunk* chunk = new (memory) Chunk;
  chunk->capacity = capacity;
  return chunk;
}

Chunk* ChunkPool::take() {
  Chunk* chunk = spare_;
  if (chunk != nullptr) {
    spare_ = chunk->next;
    spare_count_ -= 1;
  } else {
    chunk = create(Chunk::data_bytes, 0);  // Who gathers leaves the slack in it.
    if (chunk == nullptr) return nullptr;
  }
  return hand_out(chunk);
}

Chunk* ChunkPool::take_for_reading(size_t bytes, size_t bytes_wanted) {
  Chunk* chunk = bytes_wanted >= large_bytes_min ? take_kept(bytes_wanted) : nullptr;
  if (chunk == nullptr) chunk = create(bytes, protocol::Parser::slack_bytes);
  return chunk == nullptr ? nullptr : hand_out(chunk);
}

Chunk* ChunkPool::hand_out(Chunk* chunk) {
  budget_.add(charge_of(*chunk));
  chunk->references = 1;
  chunk->used = 0;
  return chunk;
}

Chunk* ChunkPool::take_kept(size_t bytes_wanted) {
  large_was_wanted_ = true;
  for (Chunk** at = &kept_large_; *at != nullptr; at = &(*at)->next) {
    Chunk* chunk = *at;
    if (chunk->capacity < bytes_wanted || chunk->capacity / 3 * 2 > bytes_wanted) continue;
    if (!budget_.has_room(charge_of(*chunk))) return nullptr;
    *at = chunk->next;
    kept_large_bytes_ -= chunk->capacity;
    return chunk;
  }
  return nullptr;
}

void ChunkPool::give_back(Chunk* chunk) {
  budget_.remove(charge_of(*chunk));
  if (chunk->capacity == Chunk::data_bytes) {
    if (spare_count_ < spare_max_) {
      chunk->next = std::exchange(spare_, chunk);
      spare_count_ += 1;
      return;
    }
  } else if (chunk->capacity >= large_bytes_min && chunk->capacity <= kept_bytes_max_ &&
             !budget_.caches_must_shrink()) {
    keep_large(chunk);
    return;
  }
  free_chunk(chunk);
}

void ChunkPool::release_outgrown(Chunk* chunk) {
  MARTLET_ASSERT(chunk->references == 1);
  budget_.remove(charge_of(*chunk));
  free_chunk(chunk);
}

// The oldest go for it: they may be of sizes that nobody wants any more.
void ChunkPool::keep_large(Chunk* chunk) {
  chunk->next = std::exchange(kept_large_, chunk);
  kept_large_bytes_ = 0;
  Chunk** at = &kept_large_;
  while (*at != nullptr && kept_large_bytes_ + (*at)->capacity <= kept_bytes_max_) {
    kept_large_bytes_ += (*at)->capacity;
    at = &(*at)->next;
  }
  free_list(*at);
}

void ChunkPool::lend(Chunk* chunk) {
  Chunk*& first = chunk->capacity < lender_bytes_min ? lent_small_ : lent_;
  chunk->next = std::exchange(first, chunk);
}

Chunk* ChunkPool::lender_of(const char* data, size_t bytes) const {
  if (bytes < lender_bytes_min / 2) return nullptr;
  const auto at = reinterpret_cast<uintptr_t>(data);
  for (Chunk* chunk = lent_; chunk != nullptr; chunk = chunk->next) {
    const auto begin = reinterpret_cast<uintptr_t>(chunk->data());
    if (at >= begin && at < begin + chunk->capacity)
      return bytes < chunk->capacity / 2 ? nullptr : chunk;
  }
  return nullptr;
}

void ChunkPool::end_lending() {
  while (lent_ != nullptr) release(std::exchange(lent_, lent_->next));
  while (lent_small_ != nullptr) release(std::exchange(lent_small_, lent_small_->next));
}

void ChunkPool::age() {
  if (!std::exchange(large_was_wanted_, false)) free_large();
}

void ChunkPool::free_large() {
  free_list(kept_large_);
  kept_large_bytes_ = 0;
}

void ChunkPool::free_kept() {
  free_large();
  free_list(spare_);
  spare_count_ = 0;
}

}  // namespace martlet::broker
