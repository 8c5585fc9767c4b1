// SPDX-License-Identifier: Apache-2.0
//
// Owns the memory of completions: a block that takes descriptors from its start and bytes from its
// end until they meet, the batch, a counted view of a block that nobody changes any more, and the
// few blocks that are kept for their next use. Bounded by the queue that makes the blocks.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "client/completion_layout.hpp"

namespace martlet::client {

struct FeedAccount;
class CompletionBlockPool;

/// One block and what its queue knows of each entry. The queue writes it under its lock until the
/// block is sealed; after that everything that a batch shows is immutable. Counted: freed when the
/// queue and the last batch have let go, or kept by the pool that it came from.
class CompletionBlock {
 public:
  struct Entry {
    uint64_t id;  // Rises over all entries of a queue.
    FeedAccount*
        account;     // Borrowed; outlives its entries. Null for what belongs to no subscription.
    uint32_t bytes;  // Descriptor and bytes: what the bounds count.
    bool dropped;
  };

  /// Null when there is no memory. `pool`: where it goes when all have let go; may be null.
  static CompletionBlock* create(size_t capacity,
                                 std::shared_ptr<CompletionBlockPool> pool = nullptr);

  void retain() { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy();
  }

  /// Room for an entry of `bytes` beside its descriptor; null when the block is full. The
  /// descriptor is not filled in.
  CompletionDescriptor* append(size_t bytes, char** out_bytes) {
    if (free_bytes() < bytes + sizeof(CompletionDescriptor)) return nullptr;
    CompletionDescriptor* const descriptor = descriptors() + count_;
    ++count_;
    bytes_start_ -= static_cast<uint32_t>(bytes);
    *out_bytes = data() + bytes_start_;
    return descriptor;
  }
  size_t free_bytes() const { return bytes_start_ - count_ * sizeof(CompletionDescriptor); }

  char* data() { return reinterpret_cast<char*>(this + 1); }
  const char* data() const { return reinterpret_cast<const char*>(this + 1); }
  CompletionDescriptor* descriptors() { return reinterpret_cast<CompletionDescriptor*>(data()); }
  const CompletionDescriptor* descriptors() const {
    return reinterpret_cast<const CompletionDescriptor*>(data());
  }
  uint32_t count() const { return count_; }
  size_t capacity() const { return capacity_; }

  std::vector<Entry> entries;  // Beside the descriptors, one each.
  uint32_t taken = 0;          // Entries handed out or passed over.
  uint32_t dropped = 0;        // Entries that are dropped and not passed over yet.

 private:
  friend class CompletionBlockPool;

  CompletionBlock(size_t capacity, std::shared_ptr<CompletionBlockPool> pool)
      : pool_(std::move(pool)),
        capacity_(static_cast<uint32_t>(capacity)),
        bytes_start_(static_cast<uint32_t>(capacity)) {}
  ~CompletionBlock() = default;
  void destroy();
  void free();

  std::shared_ptr<CompletionBlockPool> pool_;  // Shared with all its blocks; null while kept there.
  std::atomic<int32_t> references_{1};
  uint32_t count_ = 0;
  uint32_t capacity_;
  uint32_t bytes_start_;
};
static_assert(sizeof(CompletionBlock) % alignof(CompletionDescriptor) == 0);

/// Keeps a few blocks of one size whose pages are warm: giving them to the allocator and touching
/// fresh pages would cost more than all else that is done for a message. Any thread; no locks, so
/// that a batch may be let go of anywhere, also in a child after fork.
class CompletionBlockPool : public std::enable_shared_from_this<CompletionBlockPool> {
 public:
  static constexpr size_t block_bytes = 65536;
  static constexpr size_t blocks_max = 4;

  CompletionBlockPool() = default;
  ~CompletionBlockPool();
  CompletionBlockPool(const CompletionBlockPool&) = delete;
  CompletionBlockPool& operator=(const CompletionBlockPool&) = delete;

  /// An empty block of block_bytes, kept or new. Null when there is no memory.
  CompletionBlock* take();
  /// False when there is no place for it.
  bool keep(CompletionBlock* block);

 private:
  std::array<std::atomic<CompletionBlock*>, blocks_max> kept_{};
};

/// A run of completions in one block: shared, immutable, counted. Copying costs one atomic
/// addition. Any thread.
class Batch {
 public:
  Batch() = default;
  /// Takes a reference of its own.
  Batch(CompletionBlock* block, uint32_t first, uint32_t count)
      : block_(block), first_(first), count_(count) {
    block_->retain();
  }
  Batch(const Batch& other) : block_(other.block_), first_(other.first_), count_(other.count_) {
    if (block_ != nullptr) block_->retain();
  }
  Batch(Batch&& other) noexcept { swap(other); }
  Batch& operator=(Batch other) noexcept {
    swap(other);
    return *this;
  }
  ~Batch() {
    if (block_ != nullptr) block_->release();
  }

  int32_t count() const { return static_cast<int32_t>(count_); }
  /// The block that all offsets count from, and its size.
  const char* block() const { return block_ != nullptr ? block_->data() : nullptr; }
  int64_t block_bytes() const {
    return block_ != nullptr ? static_cast<int64_t>(block_->capacity()) : 0;
  }
  /// Where in the block the descriptors of this batch begin; they follow each other at
  /// completion_stride_bytes.
  int32_t descriptors_offset() const {
    return static_cast<int32_t>(first_) * completion_stride_bytes;
  }

  const CompletionDescriptor& descriptor(int32_t index) const {
    return block_->descriptors()[first_ + static_cast<uint32_t>(index)];
  }
  CompletionKind kind(int32_t index) const {
    return static_cast<CompletionKind>(descriptor(index).kind);
  }
  std::string_view subject(int32_t index) const {
    return view(descriptor(index).subject_offset, descriptor(index).subject_bytes);
  }
  std::string_view reply(int32_t index) const {
    return view(descriptor(index).reply_offset, descriptor(index).reply_bytes);
  }
  std::string_view headers(int32_t index) const {
    return view(descriptor(index).headers_offset, descriptor(index).headers_bytes);
  }
  std::string_view data(int32_t index) const {
    return view(descriptor(index).data_offset, descriptor(index).data_bytes);
  }

 private:
  std::string_view view(int32_t offset, int32_t bytes) const {
    return {block_->data() + offset, static_cast<size_t>(bytes)};
  }
  void swap(Batch& other) noexcept {
    std::swap(block_, other.block_);
    std::swap(first_, other.first_);
    std::swap(count_, other.count_);
  }

  CompletionBlock* block_ = nullptr;
  uint32_t first_ = 0;
  uint32_t count_ = 0;
};

}  // namespace martlet::client
