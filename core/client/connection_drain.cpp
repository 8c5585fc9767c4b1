// SPDX-License-Identifier: Apache-2.0
//
// Owns the steps of draining.
#include "client/connection_drain.hpp"

#include <fmt/format.h>

#include "base/out_of_memory.hpp"

namespace martlet::client {
namespace {

constexpr int64_t drain_look_ns = 20 * ns_per_ms;

}  // namespace

ConnectionDrain::ConnectionDrain(ConnectionShared& shared, DrainOwner& owner)
    : shared_(shared),
      owner_(owner),
      timer_([](void* self) { static_cast<ConnectionDrain*>(self)->go_on(); }, this) {}

Status ConnectionDrain::start(int64_t timeout_ns, bool waits_for_queues) {
  ConnectionState expected = ConnectionState::connected;
  if (!shared_.state.compare_exchange_strong(expected, ConnectionState::draining)) {
    if (expected == ConnectionState::draining) return Status();
    if (expected == ConnectionState::closed)
      return Status(ErrorCode::closed, "the connection is closed");
    return Status(ErrorCode::disconnected, "there is no connection to drain");
  }
  if (timeout_ns < 0) timeout_ns = shared_.options.drain_timeout_ms * ns_per_ms;
  bool has_begun = false;
  const bool fits = fits_into_memory([&] {
    has_begun = shared_.loop->run_on_loop(
        [this, timeout_ns, waits_for_queues] { begin(timeout_ns, waits_for_queues); });
  });
  if (fits && has_begun) return Status();
  expected = ConnectionState::draining;  // As before, unless it was closed meanwhile.
  shared_.state.compare_exchange_strong(expected, ConnectionState::connected);
  return Status(ErrorCode::out_of_memory, "no memory to drain a connection");
}

// Where memory fails in it, nothing has begun.
void ConnectionDrain::begin(int64_t timeout_ns, bool waits_for_queues) {
  if (shared_.is_closed()) return;  // Meanwhile.
  until_ns_ = shared_.loop->clock().monotonic_ns() + timeout_ns;
  waits_for_queues_ = waits_for_queues;
  std::lock_guard<std::mutex> lock(shared_.mutex);
  std::string text;
  std::vector<std::shared_ptr<SubscriptionState>> drained;
  for (const auto& [sid, subscription] : shared_.subscriptions.all()) {
    if (sid == shared_.inbox_sid) continue;  // Answers to our requests still count.
    if (!subscription->draining) text += fmt::format("UNSUB {}\r\n", sid);
    drained.push_back(subscription);
  }
  text += "PING\r\n";
  shared_.calls.add_ping(CallTable::PingKind::drain_connection, {}, 0, -1);
  for (const std::shared_ptr<SubscriptionState>& subscription : drained)
    subscription->draining = true;
  drained_ = std::move(drained);
  shared_.out.control(text, true);
  shared_.loop->loop().start_timer(timer_, drain_look_ns);
}

// After the barrier's PONG, and then every few milliseconds: are the queues empty, is everything
// sent?
void ConnectionDrain::go_on() {
  if (shared_.state.load(std::memory_order_acquire) != ConnectionState::draining) return;
  const bool is_late = shared_.loop->clock().monotonic_ns() >= until_ns_;
  if (is_late) {
    owner_.on_drain_end(ErrorCode::timeout, "draining took too long");
    return;
  }
  shared_.loop->loop().start_timer(timer_, drain_look_ns);
  if (flushing_) return;
  for (const std::shared_ptr<SubscriptionState>& subscription : drained_) {
    std::lock_guard<std::mutex> lock(shared_.mutex);
    if (!subscription->ended) return;
    if (waits_for_queues_ && subscription->account != nullptr &&
        subscription->queue->pending_messages(subscription->account) > 0) {
      return;
    }
  }
  flushing_ = true;
  shared_.out.set_draining();
  std::lock_guard<std::mutex> lock(shared_.mutex);
  shared_.calls.add_ping(CallTable::PingKind::drain_connection, {}, 0, -1);
  shared_.out.control("PING\r\n", true);
}

void ConnectionDrain::end_subscriptions_locked(FeedWriter& writer) {
  for (const std::shared_ptr<SubscriptionState>& subscription : drained_) {
    if (subscription->ended) continue;
    shared_.subscriptions.remove(subscription->sid);
    ConnectionShared::end_subscription_locked(*subscription, ErrorCode::ok, writer);
  }
}

void ConnectionDrain::on_barrier() {
  if (flushing_) {
    owner_.on_drain_end(ErrorCode::ok, "drained");
  } else {
    go_on();
  }
}

void ConnectionDrain::stop() {
  shared_.loop->loop().stop_timer(timer_);
  drained_.clear();
}

}  // namespace martlet::client
