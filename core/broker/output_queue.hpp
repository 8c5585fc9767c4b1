// SPDX-License-Identifier: Apache-2.0
//
// Owns the bytes that wait to be written to one receiver. Small pieces are copied into chunks; a
// piece may also be borrowed for the rest of the turn. One thread. Where memory cannot be had, the
// queue stays in order: it holds the first part of what was to be written, and nothing may be put
// behind it any more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/assert.hpp"
#include "broker/chunk_pool.hpp"

namespace martlet::broker {

/// One piece of output in order.
struct OutputSegment {
  const char* data;
  size_t bytes;
  Chunk* chunk;  // Null: borrowed until keep_borrowed().
};

class OutputQueue {
 public:
  /// Bytes that a writer may write behind what it commits.
  static constexpr size_t slack_bytes = 32;
  /// What fits into reserve() in any case.
  static constexpr size_t reserve_bytes_max = 16 * 1024;

  explicit OutputQueue(ChunkPool& pool) : pool_(pool) {}
  ~OutputQueue() { clear(); }
  OutputQueue(const OutputQueue&) = delete;
  OutputQueue& operator=(const OutputQueue&) = delete;

  /// Room for `bytes` in one piece and slack_bytes behind it; null when memory could not be had.
  char* reserve(size_t bytes) {
    if (tail_ != nullptr && Chunk::data_bytes - tail_->used >= bytes + slack_bytes)
      return tail_->data() + tail_->used;
    return reserve_in_new_chunk(bytes);
  }
  /// Takes the first `bytes` of what reserve() gave. std::bad_alloc: it has taken nothing. So it is
  /// with append_borrowed().
  void commit(size_t bytes) {
    char* start = tail_->data() + tail_->used;
    if (!segments_.empty()) {
      OutputSegment& last = segments_.back();
      if (last.data + last.bytes == start && last.chunk == tail_) {
        tail_->used += static_cast<uint32_t>(bytes);
        pending_bytes_ += bytes;
        last.bytes += bytes;
        return;
      }
    }
    push_segment({start, bytes, tail_});  // First, because it may find no memory.
    tail_->used += static_cast<uint32_t>(bytes);
    pending_bytes_ += bytes;
    tail_->references += 1;
  }
  /// Copies; false when memory could not be had.
  bool append(std::string_view bytes);
  /// Takes the address only: valid until keep_borrowed(), which the loop calls before the memory is
  /// used anew.
  void append_borrowed(std::string_view bytes) {
    push_segment({bytes.data(), bytes.size(), nullptr});
    pending_bytes_ += bytes.size();
    borrowed_count_ += 1;
  }
  /// Keeps what is borrowed and not yet written: by a reference to the chunk it stands in, where
  /// that was lent, otherwise by a copy. False when memory could not be had: then the queue has
  /// been cleared.
  bool keep_borrowed();
  bool has_borrowed() const { return borrowed_count_ != 0; }

  size_t pending_bytes() const { return pending_bytes_; }
  bool is_empty() const { return pending_bytes_ == 0; }
  /// What waits, and what of a large first piece has been written and is held for the rest of it.
  size_t held_bytes() const {
    if (is_empty()) return 0;
    const OutputSegment& front = segments_[head_];
    const bool is_large = front.chunk != nullptr && front.chunk->capacity > Chunk::data_bytes;
    return pending_bytes_ + (is_large ? front.chunk->capacity - front.bytes : 0);
  }
  size_t segment_count() const { return segments_.size() - head_; }
  /// Fills up to `count_max` pieces from the front: anything with `data` and `bytes`.
  template <typename Slice>
  int gather(Slice* slices, int count_max) const {
    int count = 0;
    for (size_t i = head_; i < segments_.size() && count < count_max; i++) {
      slices[count++] = {segments_[i].data, segments_[i].bytes};
    }
    return count;
  }
  /// The first `bytes` have been written.
  void consume(size_t bytes);
  void clear();

 private:
  char* reserve_in_new_chunk(size_t bytes);
  void refer_to_lenders();
  size_t kept_segments_max() const;
  void push_segment(OutputSegment segment) { segments_.push_back(segment); }
  void drop_front();

  ChunkPool& pool_;
  Chunk* tail_ = nullptr;  // Where the next small piece goes; this queue holds one reference to it.
  std::vector<OutputSegment> segments_;
  size_t head_ = 0;
  size_t pending_bytes_ = 0;
  size_t borrowed_count_ = 0;
};

}  // namespace martlet::broker
