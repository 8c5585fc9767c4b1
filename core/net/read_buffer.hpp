// SPDX-License-Identifier: Apache-2.0
//
// Owns the bytes of a connection that have been read and not yet acted on, in one piece that the
// parser may read a little beyond. What it takes is charged to the budget as long as it is held.
// Memory that is got for more is not touched before something is read into it.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "base/memory_budget.hpp"
#include "protocol/parser.hpp"

namespace martlet::net {

class ReadBuffer {
 public:
  explicit ReadBuffer(MemoryBudget& budget) : budget_(&budget) {}
  ~ReadBuffer() { free(); }
  ReadBuffer(ReadBuffer&& other) noexcept;
  ReadBuffer& operator=(ReadBuffer&&) = delete;

  char* data() { return bytes_.get(); }
  size_t size() const { return size_; }
  bool is_empty() const { return size_ == 0; }
  /// Without the slack that stands behind it.
  size_t capacity() const { return capacity_; }

  /// Room for `capacity` bytes; those that are there stay. std::bad_alloc: nothing has changed.
  void reserve(size_t capacity);
  /// `bytes` may not be of this buffer. std::bad_alloc: nothing is there any more.
  void assign(std::string_view bytes);
  /// So many bytes at data() are there now; at most capacity().
  void set_size(size_t size);
  /// Keeps the memory.
  void clear() { size_ = 0; }
  void free();

 private:
  static constexpr size_t slack_bytes = protocol::Parser::slack_bytes;
  static constexpr size_t capacity_min = 128;

  MemoryBudget* budget_;
  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace martlet::net
