// SPDX-License-Identifier: Apache-2.0
//
// Owns what every part of a connection does.
#include "client/connection_shared.hpp"

#include <algorithm>

namespace martlet::client {

ConnectionShared::ConnectionShared(const ConnectionOptions& its_options,
                                   std::shared_ptr<CompletionQueue> its_events, int64_t its_cookie,
                                   std::shared_ptr<DrivenLoop> its_loop)
    : options(its_options),
      events(std::move(its_events)),
      cookie(its_cookie),
      loop(std::move(its_loop)),
      out(loop->clock(), {options.pending_bytes_max, options.reconnect_buffer_bytes_max}),
      calls(static_cast<size_t>(options.requests_max)) {}

void ConnectionShared::emit(CompletionKind kind, ErrorCode code, std::string_view data) {
  if (events == nullptr || is_over.load(std::memory_order_acquire)) return;
  Completion completion;
  completion.kind = kind;
  completion.status = status_number(code);
  completion.cookie = cookie;
  completion.received_ns = loop->clock().wall_ns();
  completion.data = data;
  events->add(completion);
}

Status ConnectionShared::bind_queue(const std::shared_ptr<CompletionQueue>& queue) {
  if (options.run == RunMode::lent_loop) return Status();
  const std::shared_ptr<QueueDriver> driver = queue->driver();
  if (driver == nullptr) {
    queue->set_driver(loop);
  } else if (driver != loop && options.run == RunMode::driven_by_caller) {
    return Status(ErrorCode::invalid_argument,
                  "the queue is driven by another connection's loop: give this connection the same "
                  "queue for its events");
  }
  return Status();
}

bool ConnectionShared::wait(const std::function<bool()>& is_ready, int64_t timeout_ns) {
  if (is_ready()) return true;
  if (options.spin_us > 0 && timeout_ns != 0) {
    const int64_t spin_ns = options.spin_us * ns_per_us;
    loop->spin_until(is_ready, timeout_ns < 0 ? spin_ns : std::min(spin_ns, timeout_ns));
    if (is_ready()) return true;
    if (timeout_ns > 0) timeout_ns = std::max<int64_t>(0, timeout_ns - spin_ns);
  }
  loop->drive_until(is_ready, timeout_ns);
  return is_ready();
}

Status ConnectionShared::end_status() const {
  std::lock_guard<std::mutex> lock(mutex);
  if (end_reason.code != ErrorCode::ok && !end_reason.context.empty()) return Status(end_reason);
  return Status(ErrorCode::closed, "the connection is closed");
}

void ConnectionShared::act_on(FlushNeed need) {
  if (need == FlushNeed::none) return;
  if (loop->is_inside()) return;  // The end of this turn looks anyway.
  if (options.run == RunMode::lent_loop) {
    loop->loop().wake();
    return;
  }
  if (loop->ask_for_turn() || options.run != RunMode::driven_by_caller) return;
  // Nobody turns the loop: our own thread would soon; without one, nobody will. So all is written
  // that the stream takes, also what others publish meanwhile.
  while (out.write_pending() != FlushNeed::none) {
    const OutgoingBuffer::Look look = out.look();
    if (loop->ask_for_turn() || look.is_blocked || look.is_broken) return;
  }
}

void ConnectionShared::act_on_control(FlushNeed need) {
  if (need == FlushNeed::none || loop->is_inside()) return;
  // Written by the caller: a subscription is seldom, and then needs nobody to come.
  if (options.run != RunMode::lent_loop) need = out.write_pending();
  act_on(or_tell_of_room(need));
}

void ConnectionShared::end_subscription_locked(SubscriptionState& subscription, ErrorCode code,
                                               FeedWriter& writer) {
  if (subscription.ended) return;
  if (subscription.queue == nullptr) {
    subscription.ended = true;
    return;
  }
  Completion completion;
  completion.kind = CompletionKind::subscription_end;
  completion.status = status_number(code);
  completion.sid = subscription.sid;
  completion.cookie = subscription.cookie;
  completion.subject = subscription.subject;
  writer.feed(subscription.queue).add(completion);
  subscription.ended = true;  // Last: where memory fails, it is told later.
}

}  // namespace martlet::client
