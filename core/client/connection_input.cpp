// SPDX-License-Identifier: Apache-2.0
//
// Owns the reading, and the way of each operation.
#include "client/connection_input.hpp"

#include <algorithm>
#include <cstring>

#include "client/connection_core.hpp"
#include "client/header_block.hpp"
#include "io/socket.hpp"

namespace martlet::client {
namespace {

constexpr size_t input_bytes = 64 * 1024;
// So few that what a turn brings is still in the cache of who then takes it.
constexpr int reads_per_turn_max = 4;

inline bool says_no_responders(const ServerMessage& m) {
  return m.data.empty() && !m.headers.empty() && header_status(m.headers) == 503;
}

// What every message tells, whoever gets it. Each member is written once: one that is cleared
// before is read back only when all stores before it are done.
inline Completion completion_of(const ServerMessage& m, int64_t received_ns, int32_t sid,
                                int64_t cookie) {
  return Completion{
      .kind = CompletionKind::message,
      .flags = (m.reply.empty() ? 0 : completion_flag_has_reply) |
               (m.headers.empty() ? 0 : completion_flag_has_headers) |
               (says_no_responders(m) ? completion_flag_no_responders : 0),
      .status = 0,
      .sid = sid,
      .cookie = cookie,
      .received_ns = received_ns,
      .subject = m.subject,
      .reply = m.reply,
      .headers = m.headers,
      .data = m.data,
  };
}

}  // namespace

void ConnectionInput::begin_stream(transport::ByteStream* stream, std::string_view rest) {
  stream_ = stream;
  is_paused_ = false;
  pong_seen_ = false;
  seen_.clear();
  start_ = needed_ = 0;
  if (buffer_.size() != input_bytes) buffer_.assign(input_bytes, 0);
  if (rest.size() > buffer_.size()) buffer_.resize(rest.size());
  std::memcpy(buffer_.data(), rest.data(), rest.size());
  end_ = rest.size();
}

void ConnectionInput::deliver_rest() {
  if (end_ > 0 && stream_ != nullptr) parse();
}

void ConnectionInput::end_stream() {
  stream_ = nullptr;
  is_paused_ = false;
  start_ = end_ = needed_ = 0;
}

void ConnectionInput::read() {
  for (int i = 0; i < reads_per_turn_max && stream_ != nullptr && !is_paused_; ++i) {
    if (end_ == buffer_.size() || start_ + needed_ > buffer_.size()) {
      std::memmove(buffer_.data(), buffer_.data() + start_, end_ - start_);
      end_ -= start_;
      start_ = 0;
      if (needed_ > buffer_.size() || end_ == buffer_.size()) {
        buffer_.resize(std::max(needed_, buffer_.size() * 2));
      }
    }
    const size_t room = buffer_.size() - end_;
    const transport::StreamResult result = stream_->read(buffer_.data() + end_, room);
    if (result.state == transport::StreamState::closed) {
      owner_.on_input_lost(ErrorCode::disconnected, "the server closed the connection");
      return;
    }
    if (result.state == transport::StreamState::failed) {
      owner_.on_input_lost(ErrorCode::disconnected, io::error_text(result.error_number));
      return;
    }
    if (result.state != transport::StreamState::ok) return;
    end_ += result.bytes;
    if (end_ - start_ >= needed_ && !parse()) return;
    if (result.bytes < room) return;  // The socket is empty; if not, the loop says so.
  }
}

// False when the stream is gone or reading has to stop.
bool ConnectionInput::parse() {
  received_ns_ = shared_.loop->clock().wall_ns();
  Status status;
  {
    std::lock_guard<std::mutex> lock(shared_.mutex);
    Result<ServerParser::Progress> progress =
        parser_.parse(buffer_.data() + start_, end_ - start_, *this);
    if (progress) {
      start_ += progress->consumed;
      needed_ = progress->bytes_needed;
      is_paused_ = progress->blocked;
    } else {
      status = progress.take_error();
    }
    writer_.let_go();
  }
  if (start_ == end_) {
    start_ = end_ = 0;
    if (buffer_.size() > 4 * input_bytes) std::vector<char>(input_bytes).swap(buffer_);
  }
  writer_.finish();
  if (stream_ == nullptr) return false;  // A wake-up closed the connection.
  if (!status) {
    owner_.on_input_nonsense(status.code(), status.error().context);
    return false;
  }
  if (is_paused_)
    owner_.on_input_paused();  // At once: a level-triggered loop would call again and again.
  if (!seen_.empty()) do_seen();
  return stream_ != nullptr && !is_paused_;
}

void ConnectionInput::do_seen() {
  std::vector<Seen> seen;
  seen.swap(seen_);
  for (const Seen& s : seen) {
    if (stream_ == nullptr) return;  // What was told before may have ended it.
    switch (s.kind) {
      case Seen::Kind::error:
        owner_.on_server_error(s.text);
        break;
      case Seen::Kind::info:
        owner_.on_server_info(s.text);
        break;
      case Seen::Kind::drained:
        drain_.on_barrier();
        break;
    }
  }
}

// --- operations; the shared mutex is held ---

// Only the loop writes: no atomic addition is needed.
void ConnectionInput::count(const ServerMessage& m) {
  messages_.store(messages_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  bytes_.store(bytes_.load(std::memory_order_relaxed) +
                   static_cast<int64_t>(m.headers.size() + m.data.size()),
               std::memory_order_relaxed);
}

bool ConnectionInput::on_message(const ServerMessage& m) {
  if (m.sid == shared_.inbox_sid) {
    on_reply(m);
    return true;
  }
  SubscriptionState* const subscription = shared_.subscriptions.find(m.sid);
  if (subscription == nullptr) return true;  // It ended before the server knew.
  const Completion c = completion_of(m, received_ns_, subscription->sid, subscription->cookie);
  const FeedVerdict verdict =
      writer_.feed(subscription->queue).add_message(c, subscription->account, this);
  if (verdict == FeedVerdict::blocked) {
    blocked_queue_ = subscription->queue;
    blocked_sid_ = subscription->sid;
    return false;
  }
  count(m);
  const int64_t delivered = subscription->delivered.load(std::memory_order_relaxed) + 1;
  subscription->delivered.store(delivered, std::memory_order_relaxed);
  if (subscription->messages_max > 0 && delivered >= subscription->messages_max) {
    const std::shared_ptr<SubscriptionState> kept = shared_.subscriptions.share(subscription->sid);
    shared_.subscriptions.remove(kept->sid);
    ConnectionShared::end_subscription_locked(*kept, ErrorCode::ok, writer_);
  }
  return true;
}

void ConnectionInput::on_reply(const ServerMessage& m) {
  const Completion c = completion_of(m, received_ns_, 0, 0);
  count(m);
  shared_.calls.on_reply(m.subject, c, says_no_responders(m), writer_);
}

void ConnectionInput::on_ping() { shared_.out.pong(); }

void ConnectionInput::on_pong() {
  pong_seen_ = true;
  const CallTable::Pong pong = shared_.calls.on_pong(shared_.loop->clock().monotonic_ns(), writer_);
  if (pong.kind == CallTable::PingKind::drain_subscription) {
    const std::shared_ptr<SubscriptionState> subscription = shared_.subscriptions.share(pong.sid);
    if (subscription == nullptr) return;
    shared_.subscriptions.remove(pong.sid);
    ConnectionShared::end_subscription_locked(*subscription, ErrorCode::ok, writer_);
  } else if (pong.kind == CallTable::PingKind::drain_connection) {
    drain_.end_subscriptions_locked(writer_);
    seen_.push_back({Seen::Kind::drained, ""});
  }
}

// --- the pause ---

void ConnectionInput::ask_to_resume() {
  shared_.loop->loop().post([weak = shared_.core] {
    if (const std::shared_ptr<ConnectionCore> core = weak.lock()) core->resume_input();
  });
}

void ConnectionInput::resume() {
  if (!is_paused_ || stream_ == nullptr) return;
  is_paused_ = false;
  if (parse()) read();
}

void ConnectionInput::leave_queue() {
  if (blocked_queue_ != nullptr) blocked_queue_->remove_source(this);
  blocked_queue_.reset();
}

bool ConnectionInput::take_pong_seen() {
  const bool seen = pong_seen_;
  pong_seen_ = false;
  return seen;
}

}  // namespace martlet::client
