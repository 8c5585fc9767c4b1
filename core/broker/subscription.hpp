// SPDX-License-Identifier: Apache-2.0
//
// Owns one subscription: who gets its messages, under which id, and how many it has had. Lives on
// its loop, in the slabs of that loop's shard; other loops know it by its handle only.
#pragma once

#include <cstdint>
#include <string_view>

#include "subject/subscription_trie.hpp"

namespace martlet::broker {

class Session;
struct Message;

/// Receives messages inside the broker, without a connection (system requests, streams). Called on
/// its loop, never reentrantly from its own subscribe or unsubscribe; the message is valid during
/// the call.
class InternalHandler {
 public:
  virtual void on_message(const Message& message) = 0;

 protected:
  ~InternalHandler() = default;
};

/// A receiver is a session (over a socket or the in-process link) or an internal handler. Streams
/// and links to other servers join here.
enum class ReceiverKind : uint8_t { session, internal_handler };

/// How a loop names a subscription of another: it may be gone by the time a message arrives there.
struct SubscriptionHandle {
  uint32_t slot = 0;
  uint32_t generation = 0;
};

struct Subscription : subject::TrieEntry {
  static constexpr uint8_t sid_inline_max = 15;

  union {
    Session* session;
    InternalHandler* handler;
    Subscription* next_retired;  // Once it is closed.
  };
  SubscriptionHandle handle;
  int64_t delivered = 0;
  int64_t max = 0;  // 0: no end.
  ReceiverKind kind = ReceiverKind::session;
  bool is_closed = false;         // Unsubscribed; the memory lives until the end of the turn.
  bool filters_delivery = false;  // The permissions hold some messages back.
  bool sid_is_long = false;
  uint32_t sid_bytes = 0;
  union {
    char sid_inline[16];  // Read in blocks of 16, so that it never needs a length of its own.
    char* sid_long;       // Allocated with 16 bytes of slack.
  };

  Subscription() : session(nullptr), sid_inline{} {}
  std::string_view sid() const { return {sid_is_long ? sid_long : sid_inline, sid_bytes}; }
};

}  // namespace martlet::broker
