// SPDX-License-Identifier: Apache-2.0
//
// Owns the growing of a read buffer.
#include "net/read_buffer.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "base/assert.hpp"

namespace martlet::net {

void ReadBuffer::reserve(size_t capacity, size_t capacity_wanted) {
  if (capacity <= this->capacity()) return;
  broker::Chunk* chunk =
      pool_.take_for_reading(std::max(capacity, capacity_min), std::max(capacity, capacity_wanted));
  if (chunk == nullptr) throw std::bad_alloc();
  if (size_ > 0) std::memcpy(chunk->data(), chunk_->data(), size_);
  if (chunk_ != nullptr) pool_.release_outgrown(chunk_);
  chunk_ = chunk;
}

void ReadBuffer::assign(std::string_view bytes, size_t capacity_wanted) {
  if (bytes.size() > capacity()) size_ = 0;  // Nothing of it need be kept.
  reserve(bytes.size(), capacity_wanted);
  if (!bytes.empty()) std::memcpy(chunk_->data(), bytes.data(), bytes.size());
  size_ = bytes.size();
}

void ReadBuffer::set_size(size_t size) {
  MARTLET_ASSERT(size <= capacity());
  size_ = size;
}

void ReadBuffer::free() {
  size_ = 0;
  if (chunk_ != nullptr) pool_.release(std::exchange(chunk_, nullptr));
}

std::string_view ReadBuffer::lend() {
  if (chunk_ == nullptr) return {};
  const std::string_view bytes(chunk_->data(), std::exchange(size_, 0));
  pool_.lend(std::exchange(chunk_, nullptr));
  return bytes;
}

}  // namespace martlet::net
