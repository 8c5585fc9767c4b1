// SPDX-License-Identifier: Apache-2.0
//
// Owns the vocabulary of what a client can say: one Operation, with views into the bytes it was
// read from.
#pragma once

#include <cstdint>
#include <string_view>

namespace martlet::protocol {

enum class OperationKind : uint8_t {
  connect,       // argument: the JSON
  publish,       // PUB or HPUB: subject, reply, header_bytes, payload
  subscribe,     // subject, queue, sid
  unsubscribe,   // sid, max
  peer_publish,  // HMSG, which servers send each other: an empty message to nobody
  ping,
  pong,
  info,   // argument: the JSON; a client has no reason to send it
  ok,     // "+OK"
  error,  // "-ERR", argument: its text
};

/// Views are valid as long as the bytes that were parsed.
struct Operation {
  OperationKind kind = OperationKind::ping;
  bool has_headers = false;     // HPUB.
  bool awaits_payload = false;  // Only what the line says is there.
  uint8_t size_zeros = 0;  // Leading zeros of the size as it was written: a delivery repeats them.
  uint8_t header_size_zeros = 0;
  uint32_t header_bytes = 0;  // Of the payload, how many are headers.
  int64_t max = -1;           // UNSUB: how many messages in all; below 1: at once.
  std::string_view subject;
  std::string_view reply;
  std::string_view queue;
  std::string_view sid;
  std::string_view
      payload;  // Headers and body, without the closing CR LF, which stands right behind it.
  std::string_view argument;  // What followed the verb, for CONNECT, INFO, -ERR and for tracing.
};

}  // namespace martlet::protocol
