// SPDX-License-Identifier: Apache-2.0
//
// Owns the checks of a message, except of its subjects, and the list of those who wait for room.
#include "client/connection_publisher.hpp"

#include <fmt/format.h>

#include "client/header_block.hpp"

namespace martlet::client {

OutgoingBuffer::IdleRule ConnectionPublisher::idle_rule() const {
  switch (shared_.options.run) {
    case RunMode::lent_loop:
      if (!shared_.options.gather) return OutgoingBuffer::IdleRule::write_few_then_ask_now;
      return OutgoingBuffer::IdleRule::write_few_then_wait;
    case RunMode::own_thread:
      return OutgoingBuffer::IdleRule::write_few_then_ask;
    case RunMode::driven_by_caller:
      break;
  }
  if (shared_.options.gather) return OutgoingBuffer::IdleRule::gather;
  return shared_.loop->is_led() ? OutgoingBuffer::IdleRule::write_few_then_ask
                                : OutgoingBuffer::IdleRule::write;
}

Status ConnectionPublisher::check_sizes(const PublishView& m) const {
  const int64_t bytes = static_cast<int64_t>(m.headers.size() + m.data.size());
  const int64_t max = max_payload_.load(std::memory_order_relaxed);
  if (max >= 0 && bytes > max) {
    return Status(ErrorCode::payload_too_large,
                  fmt::format("payload {} > max_payload {} of the server", bytes, max));
  }
  if (m.headers.empty()) return Status();
  if (!server_headers_.load(std::memory_order_relaxed)) {
    return Status(ErrorCode::unsupported, "the server takes no headers");
  }
  return check_header_block(m.headers);
}

Status ConnectionPublisher::publish(const PublishView& message, bool at_once, int64_t* out_number) {
  Status status = check_sizes(message);
  // The buffer checks subjects while it is locked: those that are no short work are refused before.
  if (!status || message.subject.size() + message.reply.size() > line_subjects_bytes_max) {
    Status subjects = check_subjects(message);
    return subjects ? std::move(status) : std::move(subjects);
  }
  FlushNeed need = FlushNeed::none;
  status = shared_.out.publish(message, idle_rule(), at_once, &need, out_number);
  // Who got no room has made none.
  if (status) need = shared_.or_tell_of_room(need);
  if (need != FlushNeed::none) shared_.act_on(need);
  return status;
}

Status ConnectionPublisher::wait_capacity(int64_t message_bytes, int64_t timeout_ns) {
  struct Counted {
    explicit Counted(std::atomic<int32_t>& callers) : callers_(callers) {
      callers_.fetch_add(1, std::memory_order_acq_rel);
    }
    ~Counted() { callers_.fetch_sub(1, std::memory_order_acq_rel); }
    std::atomic<int32_t>& callers_;
  } counted(shared_.room_callers);
  // `closed` and `draining` end the wait too: the next publish says so.
  if (shared_.wait([&] { return shared_.out.has_room(message_bytes); }, timeout_ns)) {
    return shared_.out.mode() == OutgoingBuffer::Mode::closed ? shared_.end_status() : Status();
  }
  return Status(ErrorCode::again, "");
}

Status ConnectionPublisher::notify_capacity(int64_t message_bytes,
                                            const std::shared_ptr<CompletionQueue>& queue,
                                            int64_t cookie) {
  if (shared_.is_closed()) return Status(ErrorCode::closed, "the connection is closed");
  Status bound = shared_.bind_queue(queue);
  if (!bound) return bound;
  {
    std::lock_guard<std::mutex> lock(shared_.mutex);
    if (waiters_.size() >= capacity_waiters_max) {
      return Status(ErrorCode::limit_reached,
                    fmt::format("{} calls wait for room already", waiters_.size()));
    }
    waiters_.push_back(CapacityWaiter{message_bytes, queue, cookie});
    shared_.room_is_asked_for.store(true, std::memory_order_release);
  }
  // Asked behind the store: the loop, which makes room, either sees the waiter or has made it. The
  // others were asked for when they came; with many of them, asking again each time is dear.
  if (shared_.out.has_room(message_bytes)) tell_waiters();
  return Status();
}

void ConnectionPublisher::tell(const CapacityWaiter& waiter, ErrorCode code, FeedWriter& writer) {
  Completion completion;
  completion.kind = CompletionKind::capacity;
  completion.status = status_number(code);
  completion.cookie = waiter.cookie;
  writer.feed(waiter.queue).add(completion);
}

void ConnectionPublisher::tell_waiters() {
  FeedWriter writer;
  {
    std::lock_guard<std::mutex> lock(shared_.mutex);
    std::erase_if(waiters_, [&](const CapacityWaiter& waiter) {
      if (!shared_.out.has_room(waiter.message_bytes)) return false;
      tell(waiter, ErrorCode::ok, writer);
      return true;
    });
    shared_.room_is_asked_for.store(!waiters_.empty(), std::memory_order_release);
    writer.let_go();
  }
  writer.finish();
}

void ConnectionPublisher::fail_waiters_locked(FeedWriter& writer) {
  for (const CapacityWaiter& waiter : waiters_) tell(waiter, ErrorCode::closed, writer);
  waiters_.clear();
}

}  // namespace martlet::client
