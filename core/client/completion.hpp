// SPDX-License-Identifier: Apache-2.0
//
// Owns what a completion is before it has a place in a block: its parts as views, what they count
// at a bound, and how they are copied into a block. Keeps nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "client/completion_layout.hpp"

namespace martlet::client {

/// Everything of a completion but its place. Views are copied before the call returns.
struct Completion {
  CompletionKind kind = CompletionKind::message;
  int32_t flags = 0;
  int32_t status = 0;
  int32_t sid = 0;
  int64_t cookie = 0;
  int64_t received_ns = 0;
  std::string_view subject;
  std::string_view reply;
  std::string_view headers;
  std::string_view data;

  /// The bytes beside the descriptor.
  size_t content_bytes() const {
    return subject.size() + reply.size() + headers.size() + data.size();
  }
  /// News of a connection or a server, which come whether the program polls or not. `closed` is
  /// none of them: it comes once.
  bool is_event() const {
    return kind >= CompletionKind::connected && kind != CompletionKind::closed;
  }
};

/// Descriptor and bytes: what the bounds count.
constexpr int64_t entry_bytes(size_t content_bytes) {
  return static_cast<int64_t>(content_bytes + sizeof(CompletionDescriptor));
}

/// Copies a completion: its bytes to `to`, inside the block that begins at `base`.
void fill_descriptor(CompletionDescriptor& descriptor, char* to, const char* base,
                     const Completion& completion);

/// Copies an entry with its `content` bytes to `to_bytes` inside the block that begins at
/// `to_base`.
void copy_entry(CompletionDescriptor& to, char* to_bytes, const char* to_base,
                const CompletionDescriptor& from, const char* from_base, size_t content);

}  // namespace martlet::client
