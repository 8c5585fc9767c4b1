// SPDX-License-Identifier: Apache-2.0
//
// Owns the beginning of calls, the waiting for their answers, and their deadlines.
#include "client/connection_calls.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace martlet::client {

ConnectionCalls::ConnectionCalls(ConnectionShared& shared, ConnectionPublisher& publisher)
    : shared_(shared),
      publisher_(publisher),
      deadline_timer_([](void* self) { static_cast<ConnectionCalls*>(self)->expire(); }, this) {}

void ConnectionCalls::watch_deadline() {
  const int64_t deadline = armed_deadline_ns_.load(std::memory_order_acquire);
  if (deadline < 0 || shared_.is_closed()) return;
  if (deadline_timer_.is_running() && deadline_timer_.deadline_ns() <= deadline) return;
  io::Loop& loop = shared_.loop->loop();
  loop.start_timer(deadline_timer_, std::max<int64_t>(0, deadline - loop.now_ns()));
}

void ConnectionCalls::stop() { shared_.loop->loop().stop_timer(deadline_timer_); }

// Wakes the loop only when no earlier deadline is armed already.
void ConnectionCalls::arm_deadline(int64_t deadline_ns) {
  if (deadline_ns < 0) return;
  int64_t armed = armed_deadline_ns_.load(std::memory_order_acquire);
  while (armed < 0 || deadline_ns < armed) {
    if (armed_deadline_ns_.compare_exchange_weak(armed, deadline_ns)) {
      if (!shared_.loop->is_inside()) shared_.loop->loop().wake();
      return;
    }
  }
}

void ConnectionCalls::expire() {
  FeedWriter writer;
  {
    std::lock_guard<std::mutex> lock(shared_.mutex);
    armed_deadline_ns_.store(shared_.calls.expire(shared_.loop->clock().monotonic_ns(), writer),
                             std::memory_order_release);
    writer.let_go();
  }
  writer.finish();
}

Status ConnectionCalls::ping_start(int64_t timeout_ns, CallTarget target) {
  if (target.queue != nullptr) {
    Status bound = shared_.bind_queue(target.queue);
    if (!bound) return bound;
  }
  const int64_t deadline = timeout_ns < 0 || target.slot != nullptr
                               ? -1
                               : shared_.loop->clock().monotonic_ns() + timeout_ns;
  FlushNeed need = FlushNeed::none;
  {
    // The PING enters the buffer and the table in one step, or answers would go to the wrong call.
    std::lock_guard<std::mutex> lock(shared_.mutex);
    switch (shared_.out.mode()) {
      case OutgoingBuffer::Mode::closed:
        return Status(ErrorCode::closed, "the connection is closed");
      case OutgoingBuffer::Mode::disconnected:
        return Status(ErrorCode::disconnected, "there is no connection");
      default:
        break;
    }
    if (shared_.calls.pings() >= static_cast<size_t>(shared_.options.requests_max)) {
      return Status(ErrorCode::limit_reached,
                    fmt::format("{} flushes are under way", shared_.calls.pings()));
    }
    shared_.calls.add_ping(CallTable::PingKind::call, std::move(target), 0, deadline);
    need = shared_.out.control("PING\r\n", true);
  }
  arm_deadline(deadline);
  shared_.act_on(need);
  return Status();
}

Status ConnectionCalls::ping(int64_t timeout_ns, int64_t* out_rtt_ns) {
  const std::shared_ptr<CallSlot> slot = std::make_shared<CallSlot>();
  const int64_t start = shared_.loop->clock().monotonic_ns();
  Status status = ping_start(timeout_ns, CallTarget{slot, nullptr, 0});
  if (!status) return status;
  if (!shared_.wait([&] { return slot->done.load(std::memory_order_acquire); }, timeout_ns)) {
    return Status(ErrorCode::timeout, "the server did not answer the ping in time");
  }
  if (slot->code != ErrorCode::ok)
    return Status(slot->code, "the connection was lost before the server answered");
  if (out_rtt_ns != nullptr) *out_rtt_ns = slot->answered_ns - start;
  return Status();
}

std::string ConnectionCalls::new_inbox() {
  std::lock_guard<std::mutex> lock(shared_.mutex);
  return shared_.options.inbox_prefix + "." + nuid_.next();
}

void ConnectionCalls::note_published(uint64_t number, int64_t publish_number) {
  FeedWriter writer;
  {
    std::lock_guard<std::mutex> lock(shared_.mutex);
    shared_.calls.note_published(number, publish_number, writer);
    writer.let_go();
  }
  writer.finish();
}

void ConnectionCalls::forget_request(uint64_t number) {
  std::lock_guard<std::mutex> lock(shared_.mutex);
  shared_.calls.forget_request(number);
}

Status ConnectionCalls::open_inbox_locked(FlushNeed& need) {
  if (shared_.inbox_sid != 0) return Status();
  if (shared_.out.mode() == OutgoingBuffer::Mode::closed)
    return Status(ErrorCode::closed, "the connection is closed");
  shared_.calls.set_inbox(shared_.options.inbox_prefix + "." + nuid_.next() + ".");
  const std::shared_ptr<SubscriptionState> state =
      std::make_shared<SubscriptionState>(shared_.core, nullptr);
  state->sid = shared_.subscriptions.next_sid();
  state->subject = shared_.calls.inbox() + "*";
  shared_.inbox_sid = state->sid;
  shared_.subscriptions.add(state);
  need = shared_.out.control(SubscriptionTable::subscribe_line(*state), false);
  return Status();
}

Status ConnectionCalls::request_start(const PublishView& message, int64_t replies_max,
                                      int64_t timeout_ns, CallTarget target, uint64_t* out_number) {
  if (target.queue != nullptr) {
    Status bound = shared_.bind_queue(target.queue);
    if (!bound) return bound;
  }
  const bool is_sync = target.slot != nullptr;
  const int64_t deadline =
      timeout_ns < 0 || is_sync ? -1 : shared_.loop->clock().monotonic_ns() + timeout_ns;
  uint64_t number = 0;
  std::string reply;
  FlushNeed inbox_need = FlushNeed::none;
  {
    std::lock_guard<std::mutex> lock(shared_.mutex);
    Status status = open_inbox_locked(inbox_need);
    if (!status) return status;
    number = shared_.calls.add_request(std::move(target), replies_max, deadline);
    if (number != 0) reply = shared_.calls.reply_subject(number);
  }
  int64_t publish_number = 0;
  Status status =
      number == 0 ? Status(ErrorCode::limit_reached,
                           fmt::format("{} requests are under way", shared_.options.requests_max))
                  : publisher_.publish({message.subject, reply, message.headers, message.data},
                                       true, &publish_number);
  if (!status) {
    shared_.act_on_control(inbox_need);  // The publish would have written the inbox's SUB as well.
    if (number != 0) forget_request(number);
    return status;
  }
  note_published(number, publish_number);
  if (out_number != nullptr) *out_number = number;
  arm_deadline(deadline);
  return status;
}

Result<Batch> ConnectionCalls::request(const PublishView& message, int64_t timeout_ns) {
  const std::shared_ptr<CallSlot> slot = std::make_shared<CallSlot>();
  const int64_t start = shared_.loop->clock().monotonic_ns();
  const auto left = [&] {
    return timeout_ns < 0
               ? -1
               : std::max<int64_t>(0, timeout_ns - (shared_.loop->clock().monotonic_ns() - start));
  };
  uint64_t number = 0;
  Status status = request_start(message, 1, timeout_ns, CallTarget{slot, nullptr, 0}, &number);
  while (status.code() == ErrorCode::again) {
    const int64_t bytes =
        static_cast<int64_t>(message.subject.size() + message.headers.size() + message.data.size());
    status = publisher_.wait_capacity(bytes, left());
    if (status.code() == ErrorCode::again)
      return Error{ErrorCode::timeout, "the outgoing buffer stayed full"};
    if (status) status = request_start(message, 1, left(), CallTarget{slot, nullptr, 0}, &number);
  }
  if (!status) return status.take_error();
  if (!shared_.wait([&] { return slot->done.load(std::memory_order_acquire); }, timeout_ns)) {
    forget_request(number);
    return Error{ErrorCode::timeout, fmt::format("no answer to \"{}\" in time", message.subject)};
  }
  if (slot->code == ErrorCode::no_responders) {
    return Error{ErrorCode::no_responders,
                 fmt::format("nobody listens to \"{}\"", message.subject)};
  }
  if (slot->code != ErrorCode::ok)
    return Error{slot->code, "the connection ended before an answer came"};
  return slot->reply;
}

}  // namespace martlet::client
