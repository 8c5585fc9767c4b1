// SPDX-License-Identifier: Apache-2.0
//
// Owns what all parts of a connection work on: its options, its loop, its outgoing buffer, its
// state, and the tables of subscriptions and calls with the mutex that guards them. And the few
// things that every part does: tell the program of an event, wait, see to it that bytes leave. The
// parts are connection_publisher, connection_calls, connection_subscriptions, connection_input and
// connection_drain; connection_core puts them together.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>

#include "client/call_table.hpp"
#include "client/connection.hpp"
#include "client/driven_loop.hpp"
#include "client/feed_writer.hpp"
#include "client/outgoing_buffer.hpp"
#include "client/subscription_table.hpp"

namespace martlet::client {

class ConnectionCore;

/// Locks, in this order: `mutex`, then a queue's or the outgoing buffer's. No lock is held while a
/// wake-up of the program runs. Any thread, unless said.
struct ConnectionShared {
  ConnectionShared(const ConnectionOptions& its_options,
                   std::shared_ptr<CompletionQueue> its_events, int64_t its_cookie,
                   std::shared_ptr<DrivenLoop> its_loop);
  ConnectionShared(const ConnectionShared&) = delete;
  ConnectionShared& operator=(const ConnectionShared&) = delete;

  /// Tells the program, if it gave a queue for that; nothing more once it is over. Its wake-up may
  /// close the connection.
  void emit(CompletionKind kind, ErrorCode code, std::string_view data);
  /// A queue whose poll() should move this connection learns of our loop.
  Status bind_queue(const std::shared_ptr<CompletionQueue>& queue);
  /// Until `is_ready`, or `timeout_ns` has passed (below 0: never); answers which.
  bool wait(const std::function<bool()>& is_ready, int64_t timeout_ns);
  /// Why the connection is closed.
  Status end_status() const;
  bool is_closed() const {
    return state.load(std::memory_order_acquire) == ConnectionState::closed;
  }

  /// Whether somebody waits for room in the outgoing buffer.
  bool is_room_awaited() const {
    return room_is_asked_for.load(std::memory_order_acquire) ||
           room_callers.load(std::memory_order_acquire) > 0;
  }
  /// What a caller who has written does: room that he made is told by who turns the loop.
  FlushNeed or_tell_of_room(FlushNeed need) const {
    return need == FlushNeed::none && is_room_awaited() ? FlushNeed::now : need;
  }

  /// Does what the outgoing buffer asked for after a publish or a flush.
  void act_on(FlushNeed need);
  /// The same after a line of our own, which has to leave soon, whoever turns the loop or does not.
  void act_on_control(FlushNeed need);

  /// The last thing that a subscription sends. The caller has taken it off the table, and holds
  /// the mutex.
  static void end_subscription_locked(SubscriptionState& subscription, ErrorCode code,
                                      FeedWriter& writer);

  const ConnectionOptions options;
  const std::shared_ptr<CompletionQueue> events;  // Shared with its owner; may be null.
  const int64_t cookie;
  const std::shared_ptr<DrivenLoop> loop;  // Shared with the queues that it drives.
  std::weak_ptr<ConnectionCore> core;      // Set once, before anything else is done.
  OutgoingBuffer out;
  std::atomic<ConnectionState> state{ConnectionState::fresh};
  std::atomic<int32_t> room_callers{0};        // Calls of wait_capacity under way.
  std::atomic<bool> room_is_asked_for{false};  // Somebody is to be told of room.
  std::atomic<bool> is_over{false};  // It is closed, the reason stands, and everybody was told.

  mutable std::mutex mutex;
  SubscriptionTable subscriptions;  // GUARDED_BY mutex
  CallTable calls;                  // GUARDED_BY mutex
  int32_t inbox_sid = 0;            // GUARDED_BY mutex; of the inbox of requests, 0 before it is.
  Error end_reason;                 // GUARDED_BY mutex; why it is closed.
};

}  // namespace martlet::client
