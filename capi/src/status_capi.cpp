// SPDX-License-Identifier: Apache-2.0
//
// Owns errors and texts as handles, and the proof that the core's numbers of statuses (it writes
// them into descriptors itself) are those of the header.
#include "martlet/status.h"

#include "boundary.hpp"
#include "client/completion_layout.hpp"

namespace martlet::capi {
namespace {

using client::status_number;

static_assert(status_number(ErrorCode::ok) == MARTLET_OK);
static_assert(status_number(ErrorCode::again) == MARTLET_AGAIN);
static_assert(status_number(ErrorCode::invalid_argument) == MARTLET_ERR_INVALID_ARGUMENT);
static_assert(status_number(ErrorCode::invalid_subject) == MARTLET_ERR_SUBJECT);
static_assert(status_number(ErrorCode::invalid_options) == MARTLET_ERR_OPTIONS);
static_assert(status_number(ErrorCode::payload_too_large) == MARTLET_ERR_MAX_PAYLOAD);
static_assert(status_number(ErrorCode::limit_reached) == MARTLET_ERR_LIMIT);
static_assert(status_number(ErrorCode::timeout) == MARTLET_ERR_TIMEOUT);
static_assert(status_number(ErrorCode::closed) == MARTLET_ERR_CLOSED);
static_assert(status_number(ErrorCode::draining) == MARTLET_ERR_DRAINING);
static_assert(status_number(ErrorCode::disconnected) == MARTLET_ERR_DISCONNECTED);
static_assert(status_number(ErrorCode::no_servers) == MARTLET_ERR_NO_SERVERS);
static_assert(status_number(ErrorCode::no_responders) == MARTLET_ERR_NO_RESPONDERS);
static_assert(status_number(ErrorCode::authorization) == MARTLET_ERR_AUTHORIZATION);
static_assert(status_number(ErrorCode::permissions) == MARTLET_ERR_PERMISSIONS);
static_assert(status_number(ErrorCode::stale_connection) == MARTLET_ERR_STALE_CONNECTION);
static_assert(status_number(ErrorCode::protocol) == MARTLET_ERR_PROTOCOL);
static_assert(status_number(ErrorCode::slow_consumer) == MARTLET_ERR_SLOW_CONSUMER);
static_assert(status_number(ErrorCode::address_in_use) == MARTLET_ERR_ADDRESS_IN_USE);
static_assert(status_number(ErrorCode::io) == MARTLET_ERR_IO);
static_assert(status_number(ErrorCode::out_of_memory) == MARTLET_ERR_NO_MEMORY);
static_assert(status_number(ErrorCode::unsupported) == MARTLET_ERR_UNSUPPORTED);
static_assert(status_number(ErrorCode::forked) == MARTLET_ERR_FORKED);
static_assert(status_number(ErrorCode::internal) == MARTLET_ERR_INTERNAL);

struct StatusName {
  martlet_status status;
  std::string_view name;
};

constexpr StatusName status_names[] = {
    {MARTLET_OK, "OK"},
    {MARTLET_AGAIN, "AGAIN"},
    {MARTLET_DONE, "DONE"},
    {MARTLET_ERR_INVALID_ARGUMENT, "ERR_INVALID_ARGUMENT"},
    {MARTLET_ERR_SUBJECT, "ERR_SUBJECT"},
    {MARTLET_ERR_OPTIONS, "ERR_OPTIONS"},
    {MARTLET_ERR_MAX_PAYLOAD, "ERR_MAX_PAYLOAD"},
    {MARTLET_ERR_LIMIT, "ERR_LIMIT"},
    {MARTLET_ERR_TIMEOUT, "ERR_TIMEOUT"},
    {MARTLET_ERR_CLOSED, "ERR_CLOSED"},
    {MARTLET_ERR_DRAINING, "ERR_DRAINING"},
    {MARTLET_ERR_DISCONNECTED, "ERR_DISCONNECTED"},
    {MARTLET_ERR_NO_SERVERS, "ERR_NO_SERVERS"},
    {MARTLET_ERR_NO_RESPONDERS, "ERR_NO_RESPONDERS"},
    {MARTLET_ERR_AUTHORIZATION, "ERR_AUTHORIZATION"},
    {MARTLET_ERR_PERMISSIONS, "ERR_PERMISSIONS"},
    {MARTLET_ERR_STALE_CONNECTION, "ERR_STALE_CONNECTION"},
    {MARTLET_ERR_PROTOCOL, "ERR_PROTOCOL"},
    {MARTLET_ERR_SLOW_CONSUMER, "ERR_SLOW_CONSUMER"},
    {MARTLET_ERR_ADDRESS_IN_USE, "ERR_ADDRESS_IN_USE"},
    {MARTLET_ERR_IO, "ERR_IO"},
    {MARTLET_ERR_NO_MEMORY, "ERR_NO_MEMORY"},
    {MARTLET_ERR_UNSUPPORTED, "ERR_UNSUPPORTED"},
    {MARTLET_ERR_FORKED, "ERR_FORKED"},
    {MARTLET_ERR_INTERNAL, "ERR_INTERNAL"},
    {MARTLET_ERR_INVALID_HANDLE, "ERR_INVALID_HANDLE"},
    {MARTLET_ERR_STATE, "ERR_STATE"},
    {MARTLET_ERR_IN_CALLBACK, "ERR_IN_CALLBACK"},
    {MARTLET_ERR_BUFFER_TOO_SMALL, "ERR_BUFFER_TOO_SMALL"},
};

const char* give(std::string_view text, int64_t* out_bytes) {
  if (out_bytes != nullptr) *out_bytes = static_cast<int64_t>(text.size());
  return text.data();
}

}  // namespace

martlet_status status_of(ErrorCode code) { return status_number(code); }

martlet_status fail(martlet_error** out_error, martlet_status status,
                    std::string_view text) noexcept {
  if (out_error == nullptr) return status;
  *out_error = nullptr;
  try {
    *out_error = new martlet_error{status, std::string(text)};
  } catch (...) {
    // The status alone has to do.
  }
  return status;
}

}  // namespace martlet::capi

extern "C" {

const char* martlet_status_name(martlet_status status, int64_t* out_bytes) {
  for (const martlet::capi::StatusName& known : martlet::capi::status_names) {
    if (known.status == status) return martlet::capi::give(known.name, out_bytes);
  }
  return martlet::capi::give("UNKNOWN", out_bytes);
}

martlet_status martlet_error_status(const martlet_error* self) {
  return self != nullptr ? self->status : MARTLET_ERR_INVALID_HANDLE;
}

const char* martlet_error_text(const martlet_error* self, int64_t* out_bytes) {
  if (self == nullptr) return martlet::capi::give("", out_bytes);
  return martlet::capi::give(self->text, out_bytes);
}

void martlet_error_free(martlet_error* self) { delete self; }

const char* martlet_text_get(const martlet_text* self, int64_t* out_bytes) {
  if (self == nullptr) return martlet::capi::give("", out_bytes);
  return martlet::capi::give(self->text, out_bytes);
}

void martlet_text_free(martlet_text* self) { delete self; }

}  // extern "C"
