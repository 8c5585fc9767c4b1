// SPDX-License-Identifier: Apache-2.0
//
// Owns the slow ways of an output queue: new chunks, partial writes, borrowed bytes that must be
// kept.
#include "broker/output_queue.hpp"

#include <algorithm>

#include "base/out_of_memory.hpp"

namespace martlet::broker {

char* OutputQueue::reserve_in_new_chunk(size_t bytes) {
  MARTLET_ASSERT(bytes <= Chunk::data_bytes - slack_bytes);
  Chunk* chunk = pool_.take();
  if (chunk == nullptr) return nullptr;
  if (tail_ != nullptr) pool_.release(tail_);
  tail_ = chunk;
  return chunk->data();
}

bool OutputQueue::append(std::string_view bytes) {
  while (!bytes.empty()) {
    size_t room = tail_ == nullptr ? 0 : Chunk::data_bytes - tail_->used;
    room = room > slack_bytes ? room - slack_bytes : 0;
    if (room == 0) {
      if (reserve_in_new_chunk(1) == nullptr) return false;
      room = Chunk::data_bytes - slack_bytes;
    }
    const size_t taken = std::min(room, bytes.size());
    std::memcpy(tail_->data() + tail_->used, bytes.data(), taken);
    if (!fits_into_memory([&] { commit(taken); })) return false;
    bytes.remove_prefix(taken);
  }
  return true;
}

bool OutputQueue::keep_borrowed() {
  refer_to_lenders();
  if (borrowed_count_ == 0) return true;
  std::vector<OutputSegment> old;
  if (!fits_into_memory([&] { old.reserve(kept_segments_max()); })) {
    clear();
    return false;
  }
  old.swap(segments_);  // From here on only chunks can be missing.
  const size_t head = head_;
  head_ = 0;
  borrowed_count_ = 0;
  pending_bytes_ = 0;
  bool whole = true;
  for (size_t i = head; i < old.size(); i++) {
    if (old[i].chunk != nullptr) {
      push_segment(old[i]);  // Its reference moves with it.
      pending_bytes_ += old[i].bytes;
    } else if (whole) {
      whole = append({old[i].data, old[i].bytes});
    }
  }
  // What follows a hole must never be written.
  if (!whole) clear();
  return whole;
}

void OutputQueue::refer_to_lenders() {
  for (size_t i = head_; i < segments_.size() && borrowed_count_ > 0; i++) {
    OutputSegment& segment = segments_[i];
    if (segment.chunk != nullptr) continue;
    segment.chunk = pool_.lender_of(segment.data, segment.bytes);
    if (segment.chunk == nullptr) continue;
    segment.chunk->references += 1;
    borrowed_count_ -= 1;
  }
}

size_t OutputQueue::kept_segments_max() const {
  size_t count = segments_.size() - head_;
  for (size_t i = head_; i < segments_.size(); i++) {
    if (segments_[i].chunk == nullptr)
      count += segments_[i].bytes / (Chunk::data_bytes - slack_bytes) + 1;
  }
  return count;
}

void OutputQueue::drop_front() {
  OutputSegment& front = segments_[head_];
  if (front.chunk != nullptr) {
    pool_.release(front.chunk);
  } else {
    borrowed_count_ -= 1;
  }
  head_ += 1;
}

void OutputQueue::consume(size_t bytes) {
  MARTLET_ASSERT(bytes <= pending_bytes_);
  pending_bytes_ -= bytes;
  if (pending_bytes_ == 0) {
    clear();
    return;
  }
  while (bytes > 0) {
    OutputSegment& front = segments_[head_];
    if (front.bytes > bytes) {
      front.data += bytes;
      front.bytes -= bytes;
      break;
    }
    bytes -= front.bytes;
    drop_front();
  }
  if (head_ > 64 && head_ * 2 > segments_.size()) {
    segments_.erase(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
}

void OutputQueue::clear() {
  while (head_ < segments_.size()) drop_front();
  if (tail_ != nullptr) pool_.release(tail_);
  tail_ = nullptr;
  head_ = 0;
  pending_bytes_ = 0;
  if (segments_.capacity() > 64) {
    std::vector<OutputSegment>().swap(segments_);
  } else {
    segments_.clear();
  }
}

}  // namespace martlet::broker
