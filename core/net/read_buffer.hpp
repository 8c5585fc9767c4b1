// SPDX-License-Identifier: Apache-2.0
//
// Owns the bytes of a connection that have been read and not yet acted on, in one piece that the
// parser may read a little beyond: a chunk of the loop's pool, charged to the budget as long as it
// is held. Memory that is got for more is not touched before something is read into it.
#pragma once

#include <cstddef>
#include <string_view>

#include "broker/chunk_pool.hpp"

namespace martlet::net {

class ReadBuffer {
 public:
  explicit ReadBuffer(broker::ChunkPool& pool) : pool_(pool) {}
  ~ReadBuffer() { free(); }
  ReadBuffer(const ReadBuffer&) = delete;
  ReadBuffer& operator=(const ReadBuffer&) = delete;

  char* data() { return chunk_ == nullptr ? nullptr : chunk_->data(); }
  size_t size() const { return size_; }
  bool is_empty() const { return size_ == 0; }
  /// Without the slack that stands behind it.
  size_t capacity() const { return chunk_ == nullptr ? 0 : chunk_->capacity; }

  /// Room for `capacity` bytes, at once for `capacity_wanted` where the pool has kept such a piece;
  /// the bytes that are there stay. std::bad_alloc: nothing has changed.
  void reserve(size_t capacity, size_t capacity_wanted);
  /// As reserve() for what `bytes` take. They may not be of this buffer. std::bad_alloc: nothing is
  /// there any more.
  void assign(std::string_view bytes, size_t capacity_wanted);
  /// So many bytes at data() are there now; at most capacity().
  void set_size(size_t size);
  /// Keeps the memory.
  void clear() { size_ = 0; }
  void free();
  /// Lets outputs borrow what is there until the pool's end_lending(); nothing is here any more.
  std::string_view lend();

 private:
  static constexpr size_t capacity_min = 128;

  broker::ChunkPool& pool_;
  broker::Chunk* chunk_ = nullptr;  // This holds one reference to it.
  size_t size_ = 0;
};

}  // namespace martlet::net
