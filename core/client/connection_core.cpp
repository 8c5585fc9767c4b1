// SPDX-License-Identifier: Apache-2.0
//
// Owns the life of a connection on its loop, and the calls of any thread.
#include "client/connection_core.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/assert.hpp"
#include "base/json.hpp"
#include "client/header_block.hpp"
#include "io/entropy.hpp"
#include "subject/subject.hpp"

namespace martlet::client {
namespace {

constexpr size_t input_bytes = 64 * 1024;
constexpr int reads_per_turn_max = 16;
constexpr int64_t drain_look_ns = 20 * ns_per_ms;

std::vector<ServerUrl> servers_of(const ConnectionOptions& options) {
  if (!options.servers.empty()) return options.servers;
  ServerUrl local;
  local.host = "127.0.0.1";
  return {local};
}

bool is_group(std::string_view group) {
  return group.find_first_of(" \t\r\n\f") == std::string_view::npos;
}

}  // namespace

Result<std::shared_ptr<ConnectionCore>> ConnectionCore::create(
    const ConnectionOptions& options, std::shared_ptr<link::Connector> connector,
    std::shared_ptr<CompletionQueue> events, int64_t cookie, const Clock& clock) {
  Result<io::ForkGuard> guard = io::ForkGuard::create();
  if (!guard) return guard.take_error();
  std::shared_ptr<DrivenLoop> loop;
  // Connections that the same poll() drives share a loop: it can wait on one only.
  if (options.run == RunMode::driven_by_caller && events != nullptr) {
    loop = std::dynamic_pointer_cast<DrivenLoop>(events->driver());
  }
  if (loop == nullptr) {
    Result<std::shared_ptr<DrivenLoop>> made =
        DrivenLoop::create(clock, options.run == RunMode::lent_loop);
    if (!made) return made.take_error();
    loop = std::move(*made);
  }
  std::shared_ptr<ConnectionCore> core(new ConnectionCore(
      options, std::move(connector), events, cookie, std::move(loop), std::move(*guard)));
  if (events != nullptr) {
    Status status = core->bind_queue(events);
    if (!status) return status.take_error();
  }
  return core;
}

ConnectionCore::ConnectionCore(const ConnectionOptions& options,
                               std::shared_ptr<link::Connector> connector,
                               std::shared_ptr<CompletionQueue> events, int64_t cookie,
                               std::shared_ptr<DrivenLoop> loop, io::ForkGuard fork_guard)
    : options_(options),
      connector_(std::move(connector)),
      events_(std::move(events)),
      cookie_(cookie),
      loop_(std::move(loop)),
      fork_guard_(std::move(fork_guard)),
      out_(loop_->clock(), {options.pending_bytes_max, options.reconnect_buffer_bytes_max}),
      calls_(static_cast<size_t>(options.requests_max)),
      random_(io::random_seed()),
      pool_(servers_of(options), options.randomize_servers, random_),
      dialer_(loop_->loop(), options_, *this),
      wait_timer_([](void* self) { static_cast<ConnectionCore*>(self)->dial_next(); }, this),
      ping_timer_([](void* self) { static_cast<ConnectionCore*>(self)->send_keep_alive(); }, this),
      deadline_timer_([](void* self) { static_cast<ConnectionCore*>(self)->expire_calls(); }, this),
      drain_timer_([](void* self) { static_cast<ConnectionCore*>(self)->go_on_draining(); }, this) {
}

ConnectionCore::~ConnectionCore() { MARTLET_ASSERT(!is_member_); }

Status ConnectionCore::check_fork() const {
  if (!fork_guard_.is_forked()) return Status();
  return Status(ErrorCode::forked,
                "the connection belongs to the process that this one was forked from");
}

// A queue whose poll() should move this connection learns of our loop.
Status ConnectionCore::bind_queue(const std::shared_ptr<CompletionQueue>& queue) {
  if (options_.run == RunMode::lent_loop) return Status();
  const std::shared_ptr<QueueDriver> driver = queue->driver();
  if (driver == nullptr) {
    queue->set_driver(loop_);
  } else if (driver != loop_ && options_.run == RunMode::driven_by_caller) {
    return Status(ErrorCode::invalid_argument,
                  "the queue is driven by another connection's loop: give this connection the same "
                  "queue for its events");
  }
  return Status();
}

bool ConnectionCore::wait(const std::function<bool()>& is_ready, int64_t timeout_ns) {
  if (is_ready()) return true;
  if (options_.spin_us > 0 && timeout_ns != 0) {
    const int64_t spin_ns = options_.spin_us * ns_per_us;
    loop_->spin_until(is_ready, timeout_ns < 0 ? spin_ns : std::min(spin_ns, timeout_ns));
    if (is_ready()) return true;
    if (timeout_ns > 0) timeout_ns = std::max<int64_t>(0, timeout_ns - spin_ns);
  }
  loop_->drive_until(is_ready, timeout_ns);
  return is_ready();
}

Status ConnectionCore::state_error() const {
  std::lock_guard<std::mutex> lock(mutex_);
  if (end_reason_.code != ErrorCode::ok && !end_reason_.context.empty()) return Status(end_reason_);
  return Status(ErrorCode::closed, "the connection is closed");
}

// --- connecting ---

Status ConnectionCore::start() {
  ConnectionState expected = ConnectionState::fresh;
  if (!state_.compare_exchange_strong(expected, ConnectionState::connecting)) {
    if (expected == ConnectionState::closed)
      return Status(ErrorCode::closed, "the connection is closed");
    return Status(ErrorCode::invalid_argument, "the connection was started before");
  }
  loop_->run_on_loop([this] {
    loop_->add_member(this);
    is_member_ = true;
    pool_.begin_round();
    dial_next();
  });
  if (options_.run == RunMode::own_thread) loop_->start_keeper();
  return Status();
}

Status ConnectionCore::wait_connected(int64_t timeout_ns) {
  const bool decided = wait([this] { return state() != ConnectionState::connecting; }, timeout_ns);
  if (!decided) return Status(ErrorCode::timeout, "not connected in time");
  return state() == ConnectionState::closed ? state_error() : Status();
}

void ConnectionCore::dial_next() {
  if (state() == ConnectionState::closed) return;
  if (was_connected_)
    emit(CompletionKind::reconnecting, ErrorCode::ok,
         connector_ ? "in process" : pool_.current().url.text());
  if (connector_ != nullptr) {
    dialer_.dial(*connector_);
    return;
  }
  const ServerUrl url = pool_.current().url;  // A copy: the pool may change while we dial.
  const bool has_credentials = !url.user.empty();
  const ServerUrl* const first = options_.servers.empty() ? nullptr : &options_.servers.front();
  dialer_.dial(url, has_credentials ? &url : first);
}

void ConnectionCore::on_dial_failed(Error error) {
  last_error_ = std::move(error);
  const bool is_first = !was_connected_;
  const bool gives_up = is_first && !options_.retry_on_first_connect;
  const bool round_over = pool_.note_failure(gives_up ? -1 : options_.reconnect_attempts_max);
  if (pool_.is_empty() || (gives_up && round_over)) {
    const ErrorCode code =
        last_error_.code == ErrorCode::authorization || last_error_.code == ErrorCode::unsupported
            ? last_error_.code
            : ErrorCode::no_servers;
    end(code, last_error_.context);
    return;
  }
  const int64_t jitter_ms =
      options_.reconnect_jitter_ms > 0
          ? random_.below(static_cast<uint32_t>(options_.reconnect_jitter_ms) + 1)
          : 0;
  const int64_t wait_ns = round_over ? (options_.reconnect_wait_ms + jitter_ms) * ns_per_ms : 0;
  loop_->loop().start_timer(wait_timer_, wait_ns);
}

void ConnectionCore::on_dialed(Dialed dialed) {
  stream_ = std::move(dialed.stream);
  Status status = stream_->attach(loop_->loop(), *this);
  if (!status) {
    stream_.reset();
    on_dial_failed(status.take_error());
    return;
  }
  const bool is_first = !was_connected_;
  was_connected_ = true;
  pool_.note_success();
  last_error_ = Error{ErrorCode::ok, ""};
  pings_out_ = 0;
  is_paused_ = false;
  input_start_ = input_end_ = input_needed_ = 0;
  if (input_.size() != input_bytes) input_.assign(input_bytes, 0);
  if (dialed.rest.size() > input_.size()) input_.resize(dialed.rest.size());
  std::memcpy(input_.data(), dialed.rest.data(), dialed.rest.size());
  input_end_ = dialed.rest.size();
  {
    // The table and the stream change together, so that each subscription is told to the new server
    // exactly once.
    std::lock_guard<std::mutex> lock(mutex_);
    out_.connect(stream_.get(), subscriptions_.restoring_text());
    server_.url = connector_ != nullptr ? "in process" : pool_.current().url.text();
    if (!is_first) reconnects_.fetch_add(1, std::memory_order_relaxed);
  }
  ConnectionState expected = is_first ? ConnectionState::connecting : ConnectionState::reconnecting;
  state_.compare_exchange_strong(expected, ConnectionState::connected);
  take_info(dialed.info, true);
  update_interest();
  if (options_.ping_interval_ms > 0) {
    loop_->loop().start_timer(ping_timer_, options_.ping_interval_ms * ns_per_ms);
  }
  emit(is_first ? CompletionKind::connected : CompletionKind::reconnected, ErrorCode::ok,
       server().url);
  if (input_end_ > 0 && stream_ != nullptr) parse_input();
}

void ConnectionCore::take_info(const ServerInfo& info, bool is_first) {
  max_payload_.store(info.max_payload, std::memory_order_relaxed);
  server_headers_.store(info.headers, std::memory_order_relaxed);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    server_.server_id = info.server_id;
    server_.server_name = info.server_name;
    server_.version = info.version;
    server_.client_id = info.client_id;
    if (!info.client_ip.empty()) server_.client_ip = info.client_ip;
    server_.max_payload_bytes = info.max_payload;
    server_.headers = info.headers;
  }
  if (connector_ == nullptr && !options_.ignore_discovered_servers && !info.connect_urls.empty()) {
    const std::vector<std::string> added =
        pool_.set_discovered(info.connect_urls, options_.randomize_servers, random_);
    if (!added.empty()) {
      std::string list = "[";
      for (const std::string& url : added) {
        if (list.size() > 1) list += ',';
        append_json_string(list, url);
      }
      emit(CompletionKind::discovered_servers, ErrorCode::ok, list + "]");
    }
  }
  if (info.lame_duck && !is_first)
    emit(CompletionKind::lame_duck, ErrorCode::ok, "the server will stop soon");
}

// --- the end of a stream ---

void ConnectionCore::drop_stream() {
  loop_->loop().stop_timer(ping_timer_);
  if (stream_ == nullptr) return;
  out_.disconnect();
  stream_.reset();
  input_start_ = input_end_ = input_needed_ = 0;
}

void ConnectionCore::lose(ErrorCode code, const std::string& why) {
  if (stream_ == nullptr) return;
  // What the server said just before it closed is the better reason.
  const Error reason = last_error_.code != ErrorCode::ok ? last_error_ : Error{code, why};
  last_error_ = Error{ErrorCode::ok, ""};
  drop_stream();
  FeedWriter writer;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    calls_.fail_pings(ErrorCode::disconnected, writer);
    writer.let_go();
  }
  writer.finish();
  ConnectionState expected = ConnectionState::connected;
  const bool goes_on =
      options_.reconnect && state_.compare_exchange_strong(expected, ConnectionState::reconnecting);
  emit(CompletionKind::disconnected, reason.code, reason.context);
  if (!goes_on) {
    end(reason.code, reason.context);
    return;
  }
  // The server that was lost is tried last of the round.
  pool_.begin_round();
  if (pool_.size() > 1) pool_.advance();
  pool_.begin_round();
  loop_->loop().start_timer(wait_timer_, 0);
}

// Closed for good: everybody who waits is told.
void ConnectionCore::end(ErrorCode code, const std::string& why) {
  if (state_.exchange(ConnectionState::closed) == ConnectionState::closed) return;
  dialer_.cancel();
  for (io::Timer* timer : {&wait_timer_, &deadline_timer_, &drain_timer_})
    loop_->loop().stop_timer(*timer);
  if (stream_ != nullptr) out_.write_pending();
  drop_stream();
  out_.close();
  drained_.clear();
  if (blocked_queue_ != nullptr) blocked_queue_->remove_source(this);
  blocked_queue_.reset();
  FeedWriter writer;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    end_reason_ = Error{code, why};
    calls_.fail_all(ErrorCode::closed, writer);
    for (auto& [sid, subscription] : subscriptions_.take_all()) {
      end_subscription_locked(*subscription, code, writer);
    }
    for (const CapacityWaiter& waiter : capacity_waiters_) {
      Completion completion;
      completion.kind = CompletionKind::capacity;
      completion.status = status_number(ErrorCode::closed);
      completion.cookie = waiter.cookie;
      writer.feed(waiter.queue).add(completion);
    }
    capacity_waiters_.clear();
    writer.let_go();
  }
  writer.finish();
  emit(CompletionKind::closed, code, why);
}

void ConnectionCore::send_keep_alive() {
  loop_->loop().start_timer(ping_timer_, options_.ping_interval_ms * ns_per_ms);
  if (stream_ == nullptr || is_paused_) return;  // While paused we do not read the answer.
  if (pings_out_ >= options_.pings_out_max) {
    last_error_ = Error{ErrorCode::ok, ""};
    lose(ErrorCode::stale_connection, fmt::format("{} pings were not answered", pings_out_));
    return;
  }
  ++pings_out_;
  std::lock_guard<std::mutex> lock(mutex_);
  calls_.add_ping(CallTable::PingKind::keep_alive, {}, 0, -1);
  out_.control("PING\r\n", false);
}

Status ConnectionCore::close() {
  loop_->run_on_loop([this] { end(ErrorCode::ok, "closed by the program"); });
  return Status();
}

void ConnectionCore::leave() {
  loop_->run_on_loop([this] {
    end(ErrorCode::ok, "closed by the program");
    if (is_member_) loop_->remove_member(this);
  });
  if (is_member_ && options_.run == RunMode::own_thread) loop_->stop_keeper();
  is_member_ = false;
}

// --- draining ---

Status ConnectionCore::drain_start(int64_t timeout_ns, bool waits_for_queues) {
  ConnectionState expected = ConnectionState::connected;
  if (!state_.compare_exchange_strong(expected, ConnectionState::draining)) {
    if (expected == ConnectionState::draining) return Status();
    if (expected == ConnectionState::closed)
      return Status(ErrorCode::closed, "the connection is closed");
    return Status(ErrorCode::disconnected, "there is no connection to drain");
  }
  if (timeout_ns < 0) timeout_ns = options_.drain_timeout_ms * ns_per_ms;
  loop_->run_on_loop(
      [this, timeout_ns, waits_for_queues] { begin_drain(timeout_ns, waits_for_queues); });
  return Status();
}

void ConnectionCore::begin_drain(int64_t timeout_ns, bool waits_for_queues) {
  drain_until_ns_ = loop_->clock().monotonic_ns() + timeout_ns;
  drain_waits_for_queues_ = waits_for_queues;
  std::lock_guard<std::mutex> lock(mutex_);
  std::string text;
  for (const auto& [sid, subscription] : subscriptions_.all()) {
    if (sid == inbox_sid_) continue;  // Answers to our requests still count.
    if (!subscription->draining) text += fmt::format("UNSUB {}\r\n", sid);
    subscription->draining = true;
    drained_.push_back(subscription);
  }
  calls_.add_ping(CallTable::PingKind::drain_connection, {}, 0, -1);
  out_.control(text + "PING\r\n", true);
  loop_->loop().start_timer(drain_timer_, drain_look_ns);
}

// After the barrier's PONG, and then every few milliseconds: are the queues empty, is everything
// sent?
void ConnectionCore::go_on_draining() {
  if (state() != ConnectionState::draining) return;
  const bool is_late = loop_->clock().monotonic_ns() >= drain_until_ns_;
  if (is_late) {
    end(ErrorCode::timeout, "draining took too long");
    return;
  }
  loop_->loop().start_timer(drain_timer_, drain_look_ns);
  if (drain_flushing_) return;
  for (const std::shared_ptr<SubscriptionState>& subscription : drained_) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!subscription->ended) return;
    if (drain_waits_for_queues_ && subscription->account != nullptr &&
        subscription->queue->pending_messages(subscription->account) > 0) {
      return;
    }
  }
  drain_flushing_ = true;
  out_.set_draining();
  std::lock_guard<std::mutex> lock(mutex_);
  calls_.add_ping(CallTable::PingKind::drain_connection, {}, 0, -1);
  out_.control("PING\r\n", true);
}

Status ConnectionCore::wait_closed(int64_t timeout_ns) {
  const bool closed = wait([this] { return state() == ConnectionState::closed; }, timeout_ns);
  if (!closed) return Status(ErrorCode::timeout, "not closed in time");
  std::lock_guard<std::mutex> lock(mutex_);
  return end_reason_.code == ErrorCode::ok ? Status() : Status(end_reason_);
}

// --- the loop's calls ---

void ConnectionCore::on_before_wait(bool is_keeper) {
  if (stream_ == nullptr) return;
  if (!is_keeper || out_.look().wanted_in_ns == 0) out_.write_pending();
  update_interest();
}

int64_t ConnectionCore::on_turn(bool is_keeper) {
  OutgoingBuffer::Look look = out_.look();
  if (stream_ != nullptr && look.wanted_in_ns >= 0 && (look.wanted_in_ns == 0 || !is_keeper)) {
    out_.write_pending();
    look = out_.look();
  }
  if (stream_ != nullptr && look.is_broken) {
    read_input();  // What the server said before it closed is the reason.
    lose(ErrorCode::disconnected, "the connection broke while writing");
  }
  if (stream_ != nullptr) set_interest(look.is_blocked);
  if (has_capacity_waiters_.load(std::memory_order_acquire)) tell_capacity();
  const int64_t deadline = armed_deadline_ns_.load(std::memory_order_acquire);
  if (deadline >= 0 &&
      (!deadline_timer_.is_running() || deadline_timer_.deadline_ns() > deadline) &&
      state() != ConnectionState::closed) {
    loop_->loop().start_timer(deadline_timer_,
                              std::max<int64_t>(0, deadline - loop_->loop().now_ns()));
  }
  return look.wanted_in_ns;
}

void ConnectionCore::update_interest() { set_interest(out_.look().is_blocked); }

void ConnectionCore::set_interest(bool write) {
  Status status = stream_->set_interest(!is_paused_, write);
  if (!status) lose(status.code(), status.error().context);
}

int ConnectionCore::direct_descriptor() {
  if (stream_ == nullptr || is_paused_ || out_.look().is_blocked) return -1;
  return stream_->descriptor();
}

void ConnectionCore::on_spin(bool spinning) {
  if (stream_ != nullptr) stream_->set_spinning(spinning);
}

void ConnectionCore::on_look() {
  if (stream_ != nullptr && !is_paused_) read_input();
}

void ConnectionCore::on_stream_ready(bool readable, bool writable) {
  if (writable) out_.on_writable();
  if (readable && !is_paused_) read_input();
}

void ConnectionCore::read_input() {
  for (int i = 0; i < reads_per_turn_max && stream_ != nullptr && !is_paused_; ++i) {
    if (input_end_ == input_.size() || input_start_ + input_needed_ > input_.size()) {
      std::memmove(input_.data(), input_.data() + input_start_, input_end_ - input_start_);
      input_end_ -= input_start_;
      input_start_ = 0;
      if (input_needed_ > input_.size() || input_end_ == input_.size()) {
        input_.resize(std::max(input_needed_, input_.size() * 2));
      }
    }
    const size_t room = input_.size() - input_end_;
    const transport::StreamResult result = stream_->read(input_.data() + input_end_, room);
    if (result.state == transport::StreamState::closed) {
      lose(ErrorCode::disconnected, "the server closed the connection");
      return;
    }
    if (result.state == transport::StreamState::failed) {
      lose(ErrorCode::disconnected, io::error_text(result.error_number));
      return;
    }
    if (result.state != transport::StreamState::ok) return;
    input_end_ += result.bytes;
    if (input_end_ - input_start_ >= input_needed_ && !parse_input()) return;
    if (result.bytes < room) return;  // The socket is empty; if not, the loop says so.
  }
}

// False when the stream is gone or reading has to stop.
bool ConnectionCore::parse_input() {
  received_ns_ = loop_->clock().wall_ns();
  Status status;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    Result<ServerParser::Progress> progress =
        parser_.parse(input_.data() + input_start_, input_end_ - input_start_, *this);
    if (progress) {
      input_start_ += progress->consumed;
      input_needed_ = progress->bytes_needed;
      is_paused_ = progress->blocked;
    } else {
      status = progress.take_error();
    }
    writer_.let_go();
  }
  if (input_start_ == input_end_) {
    input_start_ = input_end_ = 0;
    if (input_.size() > 4 * input_bytes) std::vector<char>(input_bytes).swap(input_);
  }
  writer_.finish();
  if (!status) {
    last_error_ = Error{ErrorCode::ok, ""};
    lose(status.code(), status.error().context);
    return false;
  }
  if (is_paused_) update_interest();  // At once: a level-triggered loop would call again and again.
  if (!seen_.empty()) do_seen();
  return stream_ != nullptr && !is_paused_;
}

void ConnectionCore::do_seen() {
  std::vector<Seen> seen;
  seen.swap(seen_);
  for (const Seen& s : seen) {
    if (s.kind == Seen::Kind::error) {
      last_error_ =
          Error{code_of_server_error(s.text), fmt::format("the server said \"{}\"", s.text)};
      emit(CompletionKind::error, last_error_.code, s.text);
      // These leave the connection open: they are no reason for a later loss.
      if (last_error_.code == ErrorCode::permissions ||
          last_error_.code == ErrorCode::invalid_subject) {
        last_error_ = Error{ErrorCode::ok, ""};
      }
    } else if (s.kind == Seen::Kind::info) {
      const Result<ServerInfo> info = parse_server_info(s.text);
      if (info) take_info(*info, false);
    } else if (drain_flushing_) {
      end(ErrorCode::ok, "drained");
    } else {
      go_on_draining();
    }
  }
}

bool ConnectionCore::on_message(const ServerMessage& m) {
  if (m.sid == inbox_sid_) {
    on_reply(m);
    return true;
  }
  SubscriptionState* const subscription = subscriptions_.find(m.sid);
  if (subscription == nullptr) return true;  // It ended before the server knew.
  Completion c;
  c.kind = CompletionKind::message;
  c.sid = subscription->sid;
  c.cookie = subscription->cookie;
  c.received_ns = received_ns_;
  c.subject = m.subject;
  c.reply = m.reply;
  c.headers = m.headers;
  c.data = m.data;
  if (!m.reply.empty()) c.flags |= completion_flag_has_reply;
  if (!m.headers.empty()) {
    c.flags |= completion_flag_has_headers;
    if (m.data.empty() && header_status(m.headers) == 503) c.flags |= completion_flag_no_responders;
  }
  const FeedVerdict verdict =
      writer_.feed(subscription->queue).add_message(c, subscription->account, this);
  if (verdict == FeedVerdict::blocked) {
    blocked_queue_ = subscription->queue;
    return false;
  }
  in_messages_.store(in_messages_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  in_bytes_.store(in_bytes_.load(std::memory_order_relaxed) +
                      static_cast<int64_t>(m.headers.size() + m.data.size()),
                  std::memory_order_relaxed);
  const int64_t delivered = subscription->delivered.load(std::memory_order_relaxed) + 1;
  subscription->delivered.store(delivered, std::memory_order_relaxed);
  if (subscription->messages_max > 0 && delivered >= subscription->messages_max) {
    const std::shared_ptr<SubscriptionState> kept = subscriptions_.share(subscription->sid);
    subscriptions_.remove(kept->sid);
    end_subscription_locked(*kept, ErrorCode::ok, writer_);
  }
  return true;
}

void ConnectionCore::on_reply(const ServerMessage& m) {
  Completion c;
  c.received_ns = received_ns_;
  c.subject = m.subject;
  c.reply = m.reply;
  c.headers = m.headers;
  c.data = m.data;
  if (!m.reply.empty()) c.flags |= completion_flag_has_reply;
  if (!m.headers.empty()) c.flags |= completion_flag_has_headers;
  const bool is_no_responders =
      m.data.empty() && !m.headers.empty() && header_status(m.headers) == 503;
  in_messages_.fetch_add(1, std::memory_order_relaxed);
  in_bytes_.fetch_add(static_cast<int64_t>(m.headers.size() + m.data.size()),
                      std::memory_order_relaxed);
  calls_.on_reply(m.subject, c, is_no_responders, writer_);
}

void ConnectionCore::on_ping() { out_.control("PONG\r\n", false); }

void ConnectionCore::on_pong() {
  pings_out_ = 0;
  const CallTable::Pong pong = calls_.on_pong(loop_->clock().monotonic_ns(), writer_);
  if (pong.kind == CallTable::PingKind::drain_subscription) {
    const std::shared_ptr<SubscriptionState> subscription = subscriptions_.share(pong.sid);
    if (subscription == nullptr) return;
    subscriptions_.remove(pong.sid);
    end_subscription_locked(*subscription, ErrorCode::ok, writer_);
  } else if (pong.kind == CallTable::PingKind::drain_connection) {
    for (const std::shared_ptr<SubscriptionState>& subscription : drained_) {
      if (subscription->ended) continue;
      subscriptions_.remove(subscription->sid);
      end_subscription_locked(*subscription, ErrorCode::ok, writer_);
    }
    seen_.push_back({Seen::Kind::drained, ""});
  }
}

void ConnectionCore::on_queue_room() {
  loop_->loop().post([weak = weak_from_this()] {
    if (const std::shared_ptr<ConnectionCore> core = weak.lock()) core->resume();
  });
}

void ConnectionCore::resume() {
  if (!is_paused_ || stream_ == nullptr) return;
  is_paused_ = false;
  if (parse_input()) read_input();
}

// --- calls of any thread ---

OutgoingBuffer::IdleRule ConnectionCore::idle_rule() const {
  switch (options_.run) {
    case RunMode::lent_loop:
      return OutgoingBuffer::IdleRule::ask;
    case RunMode::own_thread:
      return OutgoingBuffer::IdleRule::write_few_then_ask;
    case RunMode::driven_by_caller:
      break;
  }
  if (options_.gather) return OutgoingBuffer::IdleRule::gather;
  return loop_->is_led() ? OutgoingBuffer::IdleRule::write_few_then_ask
                         : OutgoingBuffer::IdleRule::write;
}

void ConnectionCore::act_on(FlushNeed need) {
  if (need == FlushNeed::none) return;
  if (loop_->is_inside()) return;  // The end of this turn looks anyway.
  if (options_.run == RunMode::lent_loop) {
    loop_->loop().wake();
    return;
  }
  // Nobody turns the loop: our own thread will soon; without one, nobody will.
  if (!loop_->ask_for_turn() && options_.run == RunMode::driven_by_caller &&
      need == FlushNeed::soon) {
    out_.write_pending();
  }
}

Status ConnectionCore::check_message(const PublishView& m) const {
  if (!subject::is_valid_literal(m.subject)) {
    return Status(ErrorCode::invalid_subject,
                  fmt::format("\"{}\" cannot be published to", m.subject));
  }
  if (!m.reply.empty() && !subject::is_valid_literal(m.reply)) {
    return Status(ErrorCode::invalid_subject,
                  fmt::format("\"{}\" cannot be a reply subject", m.reply));
  }
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

Status ConnectionCore::publish(const PublishView& message, bool at_once) {
  Status status = check_message(message);
  if (!status) return status;
  FlushNeed need = FlushNeed::none;
  status = out_.publish(message, idle_rule(), at_once, &need);
  if (need != FlushNeed::none) act_on(need);
  return status;
}

Status ConnectionCore::wait_capacity(int64_t message_bytes, int64_t timeout_ns) {
  // `closed` and `draining` end the wait too: the next publish says so.
  if (wait([&] { return out_.has_room(message_bytes); }, timeout_ns)) {
    return out_.mode() == OutgoingBuffer::Mode::closed ? state_error() : Status();
  }
  return Status(ErrorCode::again, "");
}

Status ConnectionCore::notify_capacity(int64_t message_bytes,
                                       const std::shared_ptr<CompletionQueue>& queue,
                                       int64_t cookie) {
  if (state() == ConnectionState::closed)
    return Status(ErrorCode::closed, "the connection is closed");
  Status bound = bind_queue(queue);
  if (!bound) return bound;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    capacity_waiters_.push_back(CapacityWaiter{message_bytes, queue, cookie});
    has_capacity_waiters_.store(true, std::memory_order_release);
  }
  tell_capacity();
  return Status();
}

void ConnectionCore::tell_capacity() {
  FeedWriter writer;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    std::erase_if(capacity_waiters_, [&](const CapacityWaiter& waiter) {
      if (!out_.has_room(waiter.message_bytes)) return false;
      Completion completion;
      completion.kind = CompletionKind::capacity;
      completion.cookie = waiter.cookie;
      writer.feed(waiter.queue).add(completion);
      return true;
    });
    has_capacity_waiters_.store(!capacity_waiters_.empty(), std::memory_order_release);
    writer.let_go();
  }
  writer.finish();
}

void ConnectionCore::emit(CompletionKind kind, ErrorCode code, std::string_view data) {
  if (events_ == nullptr) return;
  Completion completion;
  completion.kind = kind;
  completion.status = status_number(code);
  completion.cookie = cookie_;
  completion.received_ns = loop_->clock().wall_ns();
  completion.data = data;
  events_->add(completion);
}

// Wakes the loop only when no earlier deadline is armed already.
void ConnectionCore::arm_deadline(int64_t deadline_ns) {
  if (deadline_ns < 0) return;
  int64_t armed = armed_deadline_ns_.load(std::memory_order_acquire);
  while (armed < 0 || deadline_ns < armed) {
    if (armed_deadline_ns_.compare_exchange_weak(armed, deadline_ns)) {
      if (!loop_->is_inside()) loop_->loop().wake();
      return;
    }
  }
}

void ConnectionCore::expire_calls() {
  FeedWriter writer;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    armed_deadline_ns_.store(calls_.expire(loop_->clock().monotonic_ns(), writer),
                             std::memory_order_release);
    writer.let_go();
  }
  writer.finish();
}

Status ConnectionCore::ping_start(int64_t timeout_ns, CallTarget target) {
  if (target.queue != nullptr) {
    Status bound = bind_queue(target.queue);
    if (!bound) return bound;
  }
  const int64_t deadline =
      timeout_ns < 0 || target.slot != nullptr ? -1 : loop_->clock().monotonic_ns() + timeout_ns;
  FlushNeed need = FlushNeed::none;
  {
    // The PING enters the buffer and the table in one step, or answers would go to the wrong call.
    std::lock_guard<std::mutex> lock(mutex_);
    switch (out_.mode()) {
      case OutgoingBuffer::Mode::closed:
        return Status(ErrorCode::closed, "the connection is closed");
      case OutgoingBuffer::Mode::disconnected:
        return Status(ErrorCode::disconnected, "there is no connection");
      default:
        break;
    }
    if (calls_.pings() >= static_cast<size_t>(options_.requests_max)) {
      return Status(ErrorCode::limit_reached,
                    fmt::format("{} flushes are under way", calls_.pings()));
    }
    calls_.add_ping(CallTable::PingKind::call, std::move(target), 0, deadline);
    need = out_.control("PING\r\n", true);
  }
  arm_deadline(deadline);
  act_on(need);
  return Status();
}

Status ConnectionCore::ping(int64_t timeout_ns, int64_t* out_rtt_ns) {
  const std::shared_ptr<CallSlot> slot = std::make_shared<CallSlot>();
  const int64_t start = loop_->clock().monotonic_ns();
  Status status = ping_start(timeout_ns, CallTarget{slot, nullptr, 0});
  if (!status) return status;
  if (!wait([&] { return slot->done.load(std::memory_order_acquire); }, timeout_ns)) {
    return Status(ErrorCode::timeout, "the server did not answer the ping in time");
  }
  if (slot->code != ErrorCode::ok)
    return Status(slot->code, "the connection was lost before the server answered");
  if (out_rtt_ns != nullptr) *out_rtt_ns = slot->answered_ns - start;
  return Status();
}

std::string ConnectionCore::new_inbox() {
  std::lock_guard<std::mutex> lock(mutex_);
  return options_.inbox_prefix + "." + nuid_.next();
}

Status ConnectionCore::open_inbox_locked() {
  if (inbox_sid_ != 0) return Status();
  if (out_.mode() == OutgoingBuffer::Mode::closed)
    return Status(ErrorCode::closed, "the connection is closed");
  calls_.set_inbox(options_.inbox_prefix + "." + nuid_.next() + ".");
  const std::shared_ptr<SubscriptionState> state =
      std::make_shared<SubscriptionState>(weak_from_this(), nullptr);
  state->sid = subscriptions_.next_sid();
  state->subject = calls_.inbox() + "*";
  inbox_sid_ = state->sid;
  subscriptions_.add(state);
  out_.control(SubscriptionTable::subscribe_line(*state), false);
  return Status();
}

Status ConnectionCore::request_start(const PublishView& message, int64_t replies_max,
                                     int64_t timeout_ns, CallTarget target, uint64_t* out_number) {
  if (target.queue != nullptr) {
    Status bound = bind_queue(target.queue);
    if (!bound) return bound;
  }
  const bool is_sync = target.slot != nullptr;
  const int64_t deadline =
      timeout_ns < 0 || is_sync ? -1 : loop_->clock().monotonic_ns() + timeout_ns;
  uint64_t number = 0;
  std::string reply;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    Status status = open_inbox_locked();
    if (!status) return status;
    number = calls_.add_request(std::move(target), replies_max, deadline);
    if (number == 0)
      return Status(ErrorCode::limit_reached,
                    fmt::format("{} requests are under way", options_.requests_max));
    reply = calls_.reply_subject(number);
  }
  Status status = publish({message.subject, reply, message.headers, message.data}, true);
  if (!status) {
    std::lock_guard<std::mutex> lock(mutex_);
    calls_.forget_request(number);
    return status;
  }
  if (out_number != nullptr) *out_number = number;
  arm_deadline(deadline);
  return status;
}

Result<Batch> ConnectionCore::request(const PublishView& message, int64_t timeout_ns) {
  const std::shared_ptr<CallSlot> slot = std::make_shared<CallSlot>();
  const int64_t start = loop_->clock().monotonic_ns();
  const auto left = [&] {
    return timeout_ns < 0
               ? -1
               : std::max<int64_t>(0, timeout_ns - (loop_->clock().monotonic_ns() - start));
  };
  uint64_t number = 0;
  Status status = request_start(message, 1, timeout_ns, CallTarget{slot, nullptr, 0}, &number);
  while (status.code() == ErrorCode::again) {
    const int64_t bytes =
        static_cast<int64_t>(message.subject.size() + message.headers.size() + message.data.size());
    status = wait_capacity(bytes, left());
    if (status.code() == ErrorCode::again)
      return Error{ErrorCode::timeout, "the outgoing buffer stayed full"};
    if (status) status = request_start(message, 1, left(), CallTarget{slot, nullptr, 0}, &number);
  }
  if (!status) return status.take_error();
  if (!wait([&] { return slot->done.load(std::memory_order_acquire); }, timeout_ns)) {
    std::lock_guard<std::mutex> lock(mutex_);
    calls_.forget_request(number);
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

// --- subscriptions ---

Result<std::shared_ptr<SubscriptionState>> ConnectionCore::subscribe(
    std::string_view subject, std::string_view group, const FeedOptions& bounds,
    const std::shared_ptr<CompletionQueue>& queue, int64_t cookie) {
  if (!subject::is_valid(subject)) {
    return Error{ErrorCode::invalid_subject,
                 fmt::format("\"{}\" cannot be subscribed to", subject)};
  }
  if (!is_group(group))
    return Error{ErrorCode::invalid_argument,
                 fmt::format("\"{}\" is no name of a queue group", group)};
  Status status = bind_queue(queue);
  if (!status) return status.take_error();
  std::shared_ptr<SubscriptionState> state =
      std::make_shared<SubscriptionState>(weak_from_this(), queue);
  state->subject = subject;
  state->group = group;
  state->cookie = cookie;
  FlushNeed need = FlushNeed::none;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const ConnectionState now = this->state();
    if (now == ConnectionState::closed) return Error{ErrorCode::closed, "the connection is closed"};
    if (now == ConnectionState::draining)
      return Error{ErrorCode::draining, "the connection drains"};
    state->sid = subscriptions_.next_sid();
    state->account = queue->open_account(bounds, state->sid, cookie);
    subscriptions_.add(state);
    need = out_.control(SubscriptionTable::subscribe_line(*state), false);
  }
  act_on_control(need);
  return state;
}

// The last thing that a subscription sends. The caller has taken it off the table.
void ConnectionCore::end_subscription_locked(SubscriptionState& subscription, ErrorCode code,
                                             FeedWriter& writer) {
  if (subscription.ended) return;
  subscription.ended = true;
  if (subscription.queue == nullptr) return;
  Completion completion;
  completion.kind = CompletionKind::subscription_end;
  completion.status = status_number(code);
  completion.sid = subscription.sid;
  completion.cookie = subscription.cookie;
  completion.subject = subscription.subject;
  writer.feed(subscription.queue).add(completion);
}

Status ConnectionCore::unsubscribe(SubscriptionState& subscription) {
  FlushNeed need = FlushNeed::none;
  FeedWriter writer;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (subscription.ended) return Status(ErrorCode::closed, "the subscription has ended");
    const std::shared_ptr<SubscriptionState> kept = subscriptions_.share(subscription.sid);
    subscriptions_.remove(subscription.sid);
    end_subscription_locked(subscription, ErrorCode::ok, writer);
    writer.let_go();
    if (!subscription.draining)
      need = out_.control(fmt::format("UNSUB {}\r\n", subscription.sid), false);
  }
  writer.finish();
  act_on_control(need);
  if (is_paused_) on_queue_room();  // It may have been this one that had no room.
  return Status();
}

Status ConnectionCore::auto_unsubscribe(SubscriptionState& subscription, int64_t messages_max) {
  if (messages_max < 1) return Status(ErrorCode::invalid_argument, "messages_max is below 1");
  FlushNeed need = FlushNeed::none;
  bool is_over = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (subscription.ended) return Status(ErrorCode::closed, "the subscription has ended");
    is_over = subscription.delivered.load(std::memory_order_relaxed) >= messages_max;
    if (!is_over) {
      subscription.messages_max = messages_max;
      need = out_.control(fmt::format("UNSUB {} {}\r\n", subscription.sid, messages_max), false);
    }
  }
  if (is_over) return unsubscribe(subscription);
  act_on_control(need);
  return Status();
}

Status ConnectionCore::drain_subscription(SubscriptionState& subscription) {
  FlushNeed need = FlushNeed::none;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (subscription.ended) return Status(ErrorCode::closed, "the subscription has ended");
    if (subscription.draining) return Status();
    if (out_.mode() == OutgoingBuffer::Mode::connected) {
      subscription.draining = true;
      calls_.add_ping(CallTable::PingKind::drain_subscription, {}, subscription.sid, -1);
      need = out_.control(fmt::format("UNSUB {}\r\nPING\r\n", subscription.sid), false);
    }
  }
  if (!subscription.draining)
    return unsubscribe(subscription);  // No server: nothing more can come.
  act_on_control(need);
  return Status();
}

// A line of ours has to leave soon, whoever turns the loop or does not.
void ConnectionCore::act_on_control(FlushNeed need) {
  if (need == FlushNeed::none || loop_->is_inside()) return;
  if (options_.run == RunMode::lent_loop) {
    loop_->loop().wake();
  } else {
    // Written by the caller: a subscription is seldom, and then needs nobody to come.
    const FlushNeed rest = out_.write_pending();
    if (rest != FlushNeed::none) loop_->ask_for_turn();
  }
}

// --- what it knows ---

ConnectionStatistics ConnectionCore::statistics() const {
  ConnectionStatistics s;
  s.in_messages = in_messages_.load(std::memory_order_relaxed);
  s.in_bytes = in_bytes_.load(std::memory_order_relaxed);
  s.reconnects = reconnects_.load(std::memory_order_relaxed);
  out_.count(&s.out_messages, &s.out_bytes);
  s.pending_bytes = out_.pending_bytes();
  std::lock_guard<std::mutex> lock(mutex_);
  s.subscriptions = static_cast<int64_t>(subscriptions_.size()) -
                    (inbox_sid_ != 0 && subscriptions_.size() > 0 ? 1 : 0);
  return s;
}

ServerDescription ConnectionCore::server() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return server_;
}

}  // namespace martlet::client
