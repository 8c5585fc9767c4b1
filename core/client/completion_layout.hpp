// SPDX-License-Identifier: Apache-2.0
//
// Owns the layout in which completions leave the client core and cross the C ABI
// (capi/include/martlet/batch.h has the same numbers, compared by an assertion there): descriptors
// of 64 bytes and a block of bytes that their offsets point into. No pointers, little endian. New
// kinds and flags are added; a reader skips what it does not know.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/error_code.hpp"

namespace martlet::client {

/// What a completion tells. Below 16 about messages and calls, from there on about connections and
/// servers.
enum class CompletionKind : int32_t {
  message = 1,   // A message of a subscription.
  reply = 2,     // An answer to a request, or in status why there is none.
  flushed = 3,   // A flush came back, or in status why it will not.
  capacity = 4,  // The outgoing buffer has room again.
  subscription_end =
      5,  // The last of a subscription; status ok after unsubscribe, drain or its maximum.
  slow_consumer = 6,  // A subscription's bound was passed, once per episode. data: a sentence.
  ready = 7,          // Another queue has something to be polled.
  connected = 16,     // The first connect. data: the URL.
  disconnected = 17,  // The connection was lost. status and data: why.
  reconnected = 18,   // Connected again, with all subscriptions. data: the URL.
  closed = 19,        // The last of a connection; status ok after close and drain.
  error = 20,         // The server said -ERR. data: its sentence.
  discovered_servers = 21,  // The pool grew. data: a JSON array of URLs.
  lame_duck = 22,           // The server will stop soon.
  reconnecting = 23,        // An attempt begins. data: the URL.
  log_line = 32,  // A line of a server's log. flags: its level (0 fatal … 5 trace); data: the line.
};

/// Bits of CompletionDescriptor::flags, for messages and replies.
constexpr int32_t completion_flag_has_headers = 1;
constexpr int32_t completion_flag_has_reply = 2;
constexpr int32_t completion_flag_no_responders = 4;  // The server's status message 503.
constexpr int32_t completion_flag_more_follows = 8;  // Of a request for many answers: not the last.

/// One completion. Offsets count from the start of the batch's bytes. The four parts follow each
/// other without gaps.
struct CompletionDescriptor {
  int32_t kind;
  int32_t flags;
  int32_t status;  // See status_number().
  int32_t sid;     // Of the subscription; 0 if none.
  int64_t cookie;  // The caller's: of the subscription, request, flush or connection.
  int64_t
      received_ns;  // When it arrived, nanoseconds since 1970; one time for one read of a socket.
  int32_t subject_offset;
  int32_t subject_bytes;
  int32_t reply_offset;
  int32_t reply_bytes;
  int32_t headers_offset;  // The header block as on the wire, from "NATS/1.0" to its empty line.
  int32_t headers_bytes;
  int32_t data_offset;
  int32_t data_bytes;
};

static_assert(sizeof(CompletionDescriptor) == 64);
static_assert(offsetof(CompletionDescriptor, cookie) == 16);
static_assert(offsetof(CompletionDescriptor, subject_offset) == 32);

constexpr int32_t completion_stride_bytes = static_cast<int32_t>(sizeof(CompletionDescriptor));

/// The status that a code is in a descriptor: the numbers of the C ABI, fixed for ever.
constexpr int32_t status_number(ErrorCode code) {
  switch (code) {
    case ErrorCode::ok:
      return 0;
    case ErrorCode::again:
      return 1;
    case ErrorCode::invalid_argument:
      return -1;
    case ErrorCode::out_of_memory:
      return -3;
    case ErrorCode::invalid_options:
      return -4;
    case ErrorCode::invalid_subject:
      return -5;
    case ErrorCode::payload_too_large:
      return -6;
    case ErrorCode::limit_reached:
      return -7;
    case ErrorCode::timeout:
      return -8;
    case ErrorCode::closed:
      return -9;
    case ErrorCode::draining:
      return -10;
    case ErrorCode::disconnected:
      return -11;
    case ErrorCode::no_servers:
      return -12;
    case ErrorCode::no_responders:
      return -13;
    case ErrorCode::authorization:
      return -14;
    case ErrorCode::permissions:
      return -15;
    case ErrorCode::stale_connection:
      return -16;
    case ErrorCode::protocol:
      return -17;
    case ErrorCode::slow_consumer:
      return -18;
    case ErrorCode::address_in_use:
      return -19;
    case ErrorCode::io:
      return -20;
    case ErrorCode::unsupported:
      return -21;
    case ErrorCode::forked:
      return -22;
    case ErrorCode::internal:
      return -23;
  }
  return -23;
}

}  // namespace martlet::client
