// SPDX-License-Identifier: Apache-2.0
//
// Owns the growing of a read buffer and its charge.
#include "net/read_buffer.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/assert.hpp"

namespace martlet::net {

ReadBuffer::ReadBuffer(ReadBuffer&& other) noexcept
    : budget_(other.budget_),
      bytes_(std::move(other.bytes_)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

void ReadBuffer::reserve(size_t capacity) {
  if (capacity <= capacity_) return;
  capacity = std::max(capacity, capacity_min);
  std::unique_ptr<char[]> bytes(new char[capacity + slack_bytes]);
  if (size_ > 0) std::memcpy(bytes.get(), bytes_.get(), size_);
  budget_->add(static_cast<int64_t>(capacity) - static_cast<int64_t>(capacity_));
  bytes_ = std::move(bytes);
  capacity_ = capacity;
}

void ReadBuffer::assign(std::string_view bytes) {
  if (bytes.size() > capacity_) size_ = 0;  // Nothing of it need be kept.
  reserve(bytes.size());
  if (!bytes.empty()) std::memcpy(bytes_.get(), bytes.data(), bytes.size());
  size_ = bytes.size();
}

void ReadBuffer::set_size(size_t size) {
  MARTLET_ASSERT(size <= capacity_);
  size_ = size;
}

void ReadBuffer::free() {
  budget_->remove(static_cast<int64_t>(capacity_));
  bytes_.reset();
  size_ = 0;
  capacity_ = 0;
}

}  // namespace martlet::net
