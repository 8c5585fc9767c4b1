// SPDX-License-Identifier: Apache-2.0
//
// Owns the allocation of completion blocks, and the places where some are kept.
#include "client/completion_block.hpp"

#include <cstdlib>
#include <new>
#include <utility>

#include "base/assert.hpp"

namespace martlet::client {

CompletionBlock* CompletionBlock::create(size_t capacity,
                                         std::shared_ptr<CompletionBlockPool> pool) {
  MARTLET_ASSERT(capacity % alignof(CompletionDescriptor) == 0);
  MARTLET_ASSERT(capacity <= INT32_MAX);
  void* const memory = std::malloc(sizeof(CompletionBlock) + capacity);
  return memory == nullptr ? nullptr : new (memory) CompletionBlock(capacity, std::move(pool));
}

void CompletionBlock::destroy() {
  // Ours to hold: a block that is kept must not keep its pool.
  const std::shared_ptr<CompletionBlockPool> pool = std::move(pool_);
  if (pool == nullptr || !pool->keep(this)) free();
}

void CompletionBlock::free() {
  this->~CompletionBlock();
  std::free(this);
}

// --- CompletionBlockPool ---

CompletionBlockPool::~CompletionBlockPool() {
  for (std::atomic<CompletionBlock*>& place : kept_) {
    if (CompletionBlock* const block = place.load(std::memory_order_acquire)) block->free();
  }
}

CompletionBlock* CompletionBlockPool::take() {
  for (std::atomic<CompletionBlock*>& place : kept_) {
    if (place.load(std::memory_order_relaxed) == nullptr) continue;
    CompletionBlock* const block = place.exchange(nullptr, std::memory_order_acq_rel);
    if (block == nullptr) continue;
    block->pool_ = shared_from_this();
    return block;
  }
  return CompletionBlock::create(block_bytes, shared_from_this());
}

bool CompletionBlockPool::keep(CompletionBlock* block) {
  block->references_.store(1, std::memory_order_relaxed);
  block->count_ = block->taken = block->dropped = 0;
  block->bytes_start_ = block->capacity_;
  block->entries.clear();
  for (std::atomic<CompletionBlock*>& place : kept_) {
    CompletionBlock* nothing = nullptr;
    if (place.load(std::memory_order_relaxed) == nullptr &&
        place.compare_exchange_strong(nothing, block, std::memory_order_acq_rel)) {
      return true;
    }
  }
  return false;
}

}  // namespace martlet::client
