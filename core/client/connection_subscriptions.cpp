// SPDX-License-Identifier: Apache-2.0
//
// Owns the beginnings and ends of subscriptions.
#include "client/connection_subscriptions.hpp"

#include <fmt/format.h>

#include "subject/subject.hpp"

namespace martlet::client {
namespace {

bool is_group(std::string_view group) {
  return group.find_first_of(" \t\r\n\f") == std::string_view::npos;
}

}  // namespace

Result<std::shared_ptr<SubscriptionState>> ConnectionSubscriptions::subscribe(
    std::string_view subject, std::string_view group, const FeedOptions& bounds,
    const std::shared_ptr<CompletionQueue>& queue, int64_t cookie) {
  if (!subject::is_valid(subject)) {
    return Error{ErrorCode::invalid_subject,
                 fmt::format("\"{}\" cannot be subscribed to: {}", subject,
                             subject::fault_of(subject, false))};
  }
  if (!is_group(group))
    return Error{ErrorCode::invalid_argument,
                 fmt::format("\"{}\" is no name of a queue group", group)};
  if (subject.size() + group.size() > line_subjects_bytes_max) {
    return Error{ErrorCode::invalid_subject,
                 fmt::format("subject and group have {} bytes, above the {} of a server's line",
                             subject.size() + group.size(), line_subjects_bytes_max)};
  }
  Status status = shared_.bind_queue(queue);
  if (!status) return status.take_error();
  std::shared_ptr<SubscriptionState> state =
      std::make_shared<SubscriptionState>(shared_.core, queue);
  state->subject = subject;
  state->group = group;
  state->cookie = cookie;
  FlushNeed need = FlushNeed::none;
  {
    std::lock_guard<std::mutex> lock(shared_.mutex);
    const ConnectionState now = shared_.state.load(std::memory_order_acquire);
    if (now == ConnectionState::closed) return Error{ErrorCode::closed, "the connection is closed"};
    if (now == ConnectionState::draining)
      return Error{ErrorCode::draining, "the connection drains"};
    state->sid = shared_.subscriptions.next_sid();
    state->account = queue->open_account(bounds, state->sid, cookie);
    shared_.subscriptions.add(state);
    need = shared_.out.control(SubscriptionTable::subscribe_line(*state), false);
  }
  shared_.act_on_control(need);
  return state;
}

Status ConnectionSubscriptions::unsubscribe(SubscriptionState& subscription) {
  FlushNeed need = FlushNeed::none;
  FeedWriter writer;
  {
    std::lock_guard<std::mutex> lock(shared_.mutex);
    if (subscription.ended) return Status(ErrorCode::closed, "the subscription has ended");
    const std::shared_ptr<SubscriptionState> kept = shared_.subscriptions.share(subscription.sid);
    shared_.subscriptions.remove(subscription.sid);
    ConnectionShared::end_subscription_locked(subscription, ErrorCode::ok, writer);
    writer.let_go();
    if (!subscription.draining)
      need = shared_.out.control(fmt::format("UNSUB {}\r\n", subscription.sid), false);
  }
  writer.finish();
  shared_.act_on_control(need);
  if (input_.is_paused()) input_.ask_to_resume();  // It may have been this one that had no room.
  return Status();
}

void ConnectionSubscriptions::end_longest() {
  FeedWriter writer;
  {
    std::lock_guard<std::mutex> lock(shared_.mutex);
    std::shared_ptr<SubscriptionState> longest;
    size_t bytes = 0;
    for (const auto& [sid, subscription] : shared_.subscriptions.all()) {
      const size_t its_bytes = subscription->subject.size() + subscription->group.size();
      if (its_bytes <= bytes || sid == shared_.inbox_sid) continue;
      longest = subscription;
      bytes = its_bytes;
    }
    if (longest == nullptr) return;
    ConnectionShared::end_subscription_locked(*longest, ErrorCode::invalid_subject, writer);
    shared_.subscriptions.remove(longest->sid);
    writer.let_go();
  }
  writer.finish();
}

Status ConnectionSubscriptions::auto_unsubscribe(SubscriptionState& subscription,
                                                 int64_t messages_max) {
  if (messages_max < 1) return Status(ErrorCode::invalid_argument, "messages_max is below 1");
  FlushNeed need = FlushNeed::none;
  bool is_over = false;
  {
    std::lock_guard<std::mutex> lock(shared_.mutex);
    if (subscription.ended) return Status(ErrorCode::closed, "the subscription has ended");
    is_over = subscription.delivered.load(std::memory_order_relaxed) >= messages_max;
    if (!is_over) {
      subscription.messages_max = messages_max;
      need = shared_.out.control(fmt::format("UNSUB {} {}\r\n", subscription.sid, messages_max),
                                 false);
    }
  }
  if (is_over) return unsubscribe(subscription);
  shared_.act_on_control(need);
  return Status();
}

Status ConnectionSubscriptions::drain(SubscriptionState& subscription) {
  FlushNeed need = FlushNeed::none;
  {
    std::lock_guard<std::mutex> lock(shared_.mutex);
    if (subscription.ended) return Status(ErrorCode::closed, "the subscription has ended");
    if (subscription.draining) return Status();
    if (shared_.out.mode() == OutgoingBuffer::Mode::connected) {
      subscription.draining = true;
      shared_.calls.add_ping(CallTable::PingKind::drain_subscription, {}, subscription.sid, -1);
      need = shared_.out.control(fmt::format("UNSUB {}\r\nPING\r\n", subscription.sid), false);
    }
  }
  if (!subscription.draining)
    return unsubscribe(subscription);  // No server: nothing more can come.
  shared_.act_on_control(need);
  return Status();
}

}  // namespace martlet::client
