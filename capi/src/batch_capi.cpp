// SPDX-License-Identifier: Apache-2.0
//
// Owns batches at the border: their shape, their memory, their references. A batch is readable in a
// forked child too: it is memory and nothing else.
#include <cstddef>
#include <cstring>

#include "batch_info.hpp"
#include "boundary.hpp"
#include "queue_handle.hpp"

using martlet::capi::Answer;

// The core writes its own layout into the block; the header describes the same one.
using CoreDescriptor = martlet::client::CompletionDescriptor;
static_assert(sizeof(martlet_descriptor) == sizeof(CoreDescriptor));
static_assert(offsetof(martlet_descriptor, kind) == offsetof(CoreDescriptor, kind));
static_assert(offsetof(martlet_descriptor, flags) == offsetof(CoreDescriptor, flags));
static_assert(offsetof(martlet_descriptor, status) == offsetof(CoreDescriptor, status));
static_assert(offsetof(martlet_descriptor, sid) == offsetof(CoreDescriptor, sid));
static_assert(offsetof(martlet_descriptor, cookie) == offsetof(CoreDescriptor, cookie));
static_assert(offsetof(martlet_descriptor, received_ns) == offsetof(CoreDescriptor, received_ns));
static_assert(offsetof(martlet_descriptor, subject_offset) ==
              offsetof(CoreDescriptor, subject_offset));
static_assert(offsetof(martlet_descriptor, subject_bytes) ==
              offsetof(CoreDescriptor, subject_bytes));
static_assert(offsetof(martlet_descriptor, reply_offset) == offsetof(CoreDescriptor, reply_offset));
static_assert(offsetof(martlet_descriptor, reply_bytes) == offsetof(CoreDescriptor, reply_bytes));
static_assert(offsetof(martlet_descriptor, headers_offset) ==
              offsetof(CoreDescriptor, headers_offset));
static_assert(offsetof(martlet_descriptor, headers_bytes) ==
              offsetof(CoreDescriptor, headers_bytes));
static_assert(offsetof(martlet_descriptor, data_offset) == offsetof(CoreDescriptor, data_offset));
static_assert(offsetof(martlet_descriptor, data_bytes) == offsetof(CoreDescriptor, data_bytes));

using Kind = martlet::client::CompletionKind;
static_assert(static_cast<int32_t>(Kind::message) == MARTLET_KIND_MESSAGE);
static_assert(static_cast<int32_t>(Kind::reply) == MARTLET_KIND_REPLY);
static_assert(static_cast<int32_t>(Kind::flushed) == MARTLET_KIND_FLUSHED);
static_assert(static_cast<int32_t>(Kind::capacity) == MARTLET_KIND_CAPACITY);
static_assert(static_cast<int32_t>(Kind::subscription_end) == MARTLET_KIND_SUBSCRIPTION_END);
static_assert(static_cast<int32_t>(Kind::slow_consumer) == MARTLET_KIND_SLOW_CONSUMER);
static_assert(static_cast<int32_t>(Kind::ready) == MARTLET_KIND_READY);
static_assert(static_cast<int32_t>(Kind::connected) == MARTLET_KIND_CONNECTED);
static_assert(static_cast<int32_t>(Kind::disconnected) == MARTLET_KIND_DISCONNECTED);
static_assert(static_cast<int32_t>(Kind::reconnected) == MARTLET_KIND_RECONNECTED);
static_assert(static_cast<int32_t>(Kind::closed) == MARTLET_KIND_CLOSED);
static_assert(static_cast<int32_t>(Kind::error) == MARTLET_KIND_ERROR);
static_assert(static_cast<int32_t>(Kind::discovered_servers) == MARTLET_KIND_DISCOVERED_SERVERS);
static_assert(static_cast<int32_t>(Kind::lame_duck) == MARTLET_KIND_LAME_DUCK);
static_assert(static_cast<int32_t>(Kind::reconnecting) == MARTLET_KIND_RECONNECTING);
static_assert(static_cast<int32_t>(Kind::log_line) == MARTLET_KIND_LOG_LINE);
static_assert(martlet::client::completion_flag_has_headers == MARTLET_FLAG_HEADERS);
static_assert(martlet::client::completion_flag_has_reply == MARTLET_FLAG_REPLY);
static_assert(martlet::client::completion_flag_no_responders == MARTLET_FLAG_NO_RESPONDERS);
static_assert(martlet::client::completion_flag_more_follows == MARTLET_FLAG_MORE_FOLLOWS);

namespace {
// Without the process check: see the first comment.
martlet_status not_a_batch(martlet_error** out_error) {
  return martlet::capi::fail(out_error, MARTLET_ERR_INVALID_HANDLE, martlet_batch::kind_text);
}
}  // namespace

extern "C" {

martlet_status martlet_batch_info_get(const martlet_batch* self, martlet_batch_info* out_info,
                                      martlet_error** out_error) {
  if (!martlet::capi::is_live(self)) return not_a_batch(out_error);
  return martlet::capi::guarded(out_error, [&]() -> Answer {
    if (out_info == nullptr) return martlet::capi::missing("out_info");
    if (Answer bad(MARTLET_OK); !martlet::capi::read_info(out_info, bad)) return bad;
    martlet::capi::write_info(out_info, self->batch.count(), self->batch.descriptors_offset(),
                              self->batch.block_bytes());
    return MARTLET_OK;
  });
}

const martlet_descriptor* martlet_batch_descriptors(const martlet_batch* self) {
  if (!martlet::capi::is_live(self) || self->batch.count() == 0) return nullptr;
  return reinterpret_cast<const martlet_descriptor*>(self->batch.block() +
                                                     self->batch.descriptors_offset());
}

const void* martlet_batch_block(const martlet_batch* self, int64_t* out_bytes) {
  const bool readable = martlet::capi::is_live(self) && self->batch.count() > 0;
  if (out_bytes != nullptr) *out_bytes = readable ? self->batch.block_bytes() : 0;
  return readable ? self->batch.block() : nullptr;
}

martlet_status martlet_batch_retain(martlet_batch* self, martlet_error** out_error) {
  if (!martlet::capi::is_live(self)) return not_a_batch(out_error);
  self->references.fetch_add(1, std::memory_order_relaxed);
  return MARTLET_OK;
}

void martlet_batch_release(martlet_batch* self) {
  if (!martlet::capi::is_live(self)) return;
  if (self->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete self;
}

}  // extern "C"
