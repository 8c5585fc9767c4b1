// SPDX-License-Identifier: Apache-2.0
//
// Owns the copying of completions into blocks.
#include "client/completion.hpp"

#include <cstring>

namespace martlet::client {
namespace {

char* copy_text(char* to, std::string_view text) {
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

}  // namespace

void fill_descriptor(CompletionDescriptor& d, char* to, const char* base,
                     const Completion& completion) {
  d.kind = static_cast<int32_t>(completion.kind);
  d.flags = completion.flags;
  d.status = completion.status;
  d.sid = completion.sid;
  d.cookie = completion.cookie;
  d.received_ns = completion.received_ns;
  const auto place = [&to, base](std::string_view text, int32_t* out_offset, int32_t* out_bytes) {
    *out_offset = static_cast<int32_t>(to - base);
    *out_bytes = static_cast<int32_t>(text.size());
    to = copy_text(to, text);
  };
  place(completion.subject, &d.subject_offset, &d.subject_bytes);
  place(completion.reply, &d.reply_offset, &d.reply_bytes);
  place(completion.headers, &d.headers_offset, &d.headers_bytes);
  place(completion.data, &d.data_offset, &d.data_bytes);
}

void copy_entry(CompletionDescriptor& to, char* to_bytes, const char* to_base,
                const CompletionDescriptor& from, const char* from_base, size_t content) {
  std::memcpy(to_bytes, from_base + from.subject_offset, content);
  const int32_t moved = static_cast<int32_t>(to_bytes - to_base) - from.subject_offset;
  to = from;
  to.subject_offset += moved;
  to.reply_offset += moved;
  to.headers_offset += moved;
  to.data_offset += moved;
}

}  // namespace martlet::client
