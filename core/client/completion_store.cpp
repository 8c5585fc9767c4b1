// SPDX-License-Identifier: Apache-2.0
//
// Owns the way of entries into blocks, out of them, and the moving together of what drops left.
#include "client/completion_store.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/assert.hpp"
#include "base/out_of_memory.hpp"

namespace martlet::client {
namespace {

// Dropped entries may hold this much before the living ones are moved together.
constexpr int64_t dropped_bytes_min = 1024 * 1024;

}  // namespace

CompletionStore::~CompletionStore() {
  for (CompletionBlock* block : blocks_) block->release();
}

void CompletionStore::abandon() {
  static_cast<void>(new std::deque<CompletionBlock*>(std::move(blocks_)));
  blocks_.clear();
}

bool CompletionStore::append(const Completion& completion, FeedAccount* account) {
  const size_t bytes = completion.content_bytes();
  CompletionBlock* const block = block_with_room(bytes);
  if (block == nullptr) return false;
  // First, because it may find no memory: a block and its entries go together.
  reserve_for(block->entries, block->entries.size() + 1);
  char* to = nullptr;
  CompletionDescriptor* const d = block->append(bytes, &to);
  fill_descriptor(*d, to, block->data(), completion);
  const uint32_t all = static_cast<uint32_t>(entry_bytes(bytes));
  const uint64_t id = next_id_++;
  block->entries.push_back(CompletionBlock::Entry{id, account, all, false});
  accounts_.enter(account, id, all, completion.subject);
  return true;
}

CompletionBlock* CompletionStore::block_with_room(size_t bytes) {
  const size_t needed = bytes + sizeof(CompletionDescriptor);
  if (!blocks_.empty() && !last_sealed_) {
    CompletionBlock* const last = blocks_.back();
    if (last->free_bytes() >= needed) return last;
    next_block_bytes_ = std::min(block_bytes_max, next_block_bytes_ * 2);
  }
  CompletionBlock* const block = new_block((needed + 7) / 8 * 8);
  if (block == nullptr) return nullptr;
  const bool fits = fits_into_memory([&] {
    block->entries.reserve(std::min<size_t>(block->capacity() / 160 + 1, 512));
    blocks_.push_back(block);
  });
  if (!fits) {
    block->release();
    return nullptr;
  }
  last_sealed_ = false;
  return block;
}

// Only the largest of the usual size are worth keeping: who receives little has none of them.
CompletionBlock* CompletionStore::new_block(size_t bytes_min) {
  const size_t bytes = std::max(next_block_bytes_, bytes_min);
  if (bytes != block_bytes_max) return CompletionBlock::create(bytes);
  if (pool_ == nullptr &&
      !fits_into_memory([this] { pool_ = std::make_shared<CompletionBlockPool>(); })) {
    return nullptr;
  }
  return pool_->take();
}

// --- out ---

Batch CompletionStore::take(uint32_t messages_max) {
  pass_over_dropped();
  if (blocks_.empty()) return Batch();
  CompletionBlock* const block = blocks_.front();
  if (block->taken == block->count()) return Batch();
  if (block->dropped > 0) return take_live_copy(block, messages_max);
  const uint32_t first = block->taken;
  const uint32_t count = std::min(messages_max, block->count() - first);
  Batch batch(block, first, count);
  for (uint32_t i = first; i < first + count; ++i) leave(block, i);
  block->taken += count;
  if (blocks_.size() == 1) last_sealed_ = true;  // Nobody writes what a batch shows.
  pass_over_dropped();
  return batch;
}

// The block has gaps: its living entries leave in a block of their own.
Batch CompletionStore::take_live_copy(CompletionBlock* block, uint32_t messages_max) {
  size_t bytes = 0;
  uint32_t count = 0;
  for (uint32_t i = block->taken; i < block->count() && count < messages_max; ++i) {
    if (block->entries[i].dropped) continue;
    bytes += block->entries[i].bytes;
    ++count;
  }
  CompletionBlock* const copy = CompletionBlock::create((bytes + 7) / 8 * 8);
  if (copy == nullptr) return Batch();
  for (uint32_t left = count; left > 0; --left) {
    pass_over_dropped();  // Never removes the block: a living entry follows.
    const uint32_t index = block->taken;
    const CompletionDescriptor& from = block->descriptors()[index];
    const size_t content = block->entries[index].bytes - sizeof(CompletionDescriptor);
    char* to_bytes = nullptr;
    CompletionDescriptor* const to = copy->append(content, &to_bytes);
    copy_entry(*to, to_bytes, copy->data(), from, block->data(), content);
    leave(block, index);
    ++block->taken;
  }
  pass_over_dropped();
  Batch batch(copy, 0, count);
  copy->release();  // The batch holds it.
  return batch;
}

CompletionStore::Filled CompletionStore::fill(char* buffer, int64_t buffer_bytes,
                                              int32_t messages_max) {
  pass_over_dropped();
  const int32_t count_max = messages_max < 1 ? INT32_MAX : messages_max;
  Filled filled;
  int64_t used = 0;
  for (CompletionBlock* block : blocks_) {
    bool full = false;
    for (uint32_t i = block->taken; i < block->count(); ++i) {
      const CompletionBlock::Entry& entry = block->entries[i];
      if (entry.dropped) continue;
      full = filled.count == count_max || used + entry.bytes > buffer_bytes;
      if (full) {
        if (filled.count == 0) filled.bytes_needed = entry.bytes;
        break;
      }
      used += entry.bytes;
      ++filled.count;
    }
    if (full) break;
  }
  CompletionDescriptor* to = reinterpret_cast<CompletionDescriptor*>(buffer);
  int64_t offset = filled.count * static_cast<int64_t>(sizeof(CompletionDescriptor));
  for (int32_t left = filled.count; left > 0; --left) {
    pass_over_dropped();
    CompletionBlock* const block = blocks_.front();
    const uint32_t index = block->taken;
    const CompletionDescriptor& from = block->descriptors()[index];
    const size_t content = block->entries[index].bytes - sizeof(CompletionDescriptor);
    copy_entry(*to, buffer + offset, buffer, from, block->data(), content);
    offset += static_cast<int64_t>(content);
    ++to;
    leave(block, index);
    ++block->taken;
  }
  pass_over_dropped();
  filled.bytes = filled.count > 0 ? offset : 0;
  return filled;
}

// Moves the front past dropped entries and lets go of blocks that have nothing left.
void CompletionStore::pass_over_dropped() {
  while (!blocks_.empty()) {
    CompletionBlock* const block = blocks_.front();
    while (block->taken < block->count() && block->entries[block->taken].dropped) {
      dropped_bytes_ -= block->entries[block->taken].bytes;
      --block->dropped;
      ++block->taken;
    }
    if (block->taken < block->count()) return;
    if (blocks_.size() == 1) {
      if (block->free_bytes() > block->capacity() / 4 * 3 && next_block_bytes_ > block_bytes_min) {
        next_block_bytes_ /= 2;
      }
      last_sealed_ = false;
    }
    blocks_.pop_front();
    block->release();
  }
}

// Takes an entry off the books, because it leaves or because it is dropped.
void CompletionStore::leave(CompletionBlock* block, uint32_t index) {
  const CompletionBlock::Entry& entry = block->entries[index];
  const CompletionDescriptor& d = block->descriptors()[index];
  accounts_.leave(entry.account, entry.id, entry.bytes,
                  {block->data() + d.subject_offset, static_cast<size_t>(d.subject_bytes)});
}

// --- dropping ---

bool CompletionStore::find(uint64_t id, CompletionBlock** out_block, uint32_t* out_index) {
  const auto after =
      std::partition_point(blocks_.begin(), blocks_.end(),
                           [id](const CompletionBlock* b) { return b->entries.back().id < id; });
  if (after == blocks_.end()) return false;
  const std::vector<CompletionBlock::Entry>& entries = (*after)->entries;
  const auto entry = std::partition_point(
      entries.begin(), entries.end(), [id](const CompletionBlock::Entry& e) { return e.id < id; });
  if (entry == entries.end() || entry->id != id || entry->dropped) return false;
  *out_block = *after;
  *out_index = static_cast<uint32_t>(entry - entries.begin());
  return *out_index >= (*after)->taken;
}

void CompletionStore::drop_entry(CompletionBlock* block, uint32_t index) {
  CompletionBlock::Entry& entry = block->entries[index];
  leave(block, index);
  entry.dropped = true;
  entry.account = nullptr;
  ++block->dropped;
  dropped_bytes_ += entry.bytes;
  compact_if_sparse();
}

int64_t CompletionStore::bytes_of(uint64_t id) {
  CompletionBlock* block = nullptr;
  uint32_t index = 0;
  return find(id, &block, &index) ? block->entries[index].bytes : 0;
}

bool CompletionStore::drop(uint64_t id) {
  CompletionBlock* block = nullptr;
  uint32_t index = 0;
  if (!find(id, &block, &index)) return false;
  drop_entry(block, index);
  return true;
}

CompletionStore::Dropped CompletionStore::drop_oldest() {
  for (CompletionBlock* block : blocks_) {
    for (uint32_t i = block->taken; i < block->count(); ++i) {
      const CompletionBlock::Entry& entry = block->entries[i];
      if (entry.dropped || entry.account == nullptr) continue;
      FeedAccount* const loser = entry.account;
      const bool loser_goes = loser->closed && loser->messages == 1;
      drop_entry(block, i);
      pass_over_dropped();
      return {true, loser_goes ? nullptr : loser};
    }
  }
  return {};
}

// Keeps the memory of dropped entries below that of the living (and 1 MiB): moves the living
// together.
void CompletionStore::compact_if_sparse() {
  if (dropped_bytes_ < dropped_bytes_min || dropped_bytes_ < accounts_.bytes()) return;
  std::deque<CompletionBlock*> old;
  old.swap(blocks_);
  last_sealed_ = false;
  for (CompletionBlock* block : old) {
    if (block->dropped == 0 && block->taken < block->count()) {
      blocks_.push_back(block);
      last_sealed_ =
          true;  // Blocks before a whole one are not filled further, so that ids keep rising.
      continue;
    }
    for (uint32_t i = block->taken; i < block->count(); ++i) {
      const CompletionBlock::Entry entry = block->entries[i];
      if (entry.dropped) {
        dropped_bytes_ -= entry.bytes;
        continue;
      }
      const size_t content = entry.bytes - sizeof(CompletionDescriptor);
      CompletionBlock* const target = block_with_room(content);
      MARTLET_ASSERT(target != nullptr);
      char* to = nullptr;
      CompletionDescriptor* const d = target->append(content, &to);
      copy_entry(*d, to, target->data(), block->descriptors()[i], block->data(), content);
      target->entries.push_back(entry);
    }
    block->release();
  }
}

}  // namespace martlet::client
