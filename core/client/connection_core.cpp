// SPDX-License-Identifier: Apache-2.0
//
// Owns the life of a connection on its loop.
#include "client/connection_core.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.hpp"
#include "base/json.hpp"
#include "base/out_of_memory.hpp"
#include "io/entropy.hpp"

namespace martlet::client {
namespace {

constexpr int64_t memory_wait_ns = 20 * ns_per_ms;
constexpr int64_t blocked_wait_ns = ns_per_s;  // A reader that rests for so long is told of.

std::vector<ServerUrl> servers_of(const ConnectionOptions& options) {
  if (!options.servers.empty()) return options.servers;
  ServerUrl local;
  local.host = "127.0.0.1";
  return {local};
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
  core->shared_.core = core;
  if (events != nullptr) {
    Status status = core->shared_.bind_queue(events);
    if (!status) return status.take_error();
  }
  return core;
}

ConnectionCore::ConnectionCore(const ConnectionOptions& options,
                               std::shared_ptr<link::Connector> connector,
                               std::shared_ptr<CompletionQueue> events, int64_t cookie,
                               std::shared_ptr<DrivenLoop> loop, io::ForkGuard fork_guard)
    : connector_(std::move(connector)),
      fork_guard_(std::move(fork_guard)),
      shared_(options, std::move(events), cookie, std::move(loop)),
      publisher_(shared_),
      calls_(shared_, publisher_),
      drain_(shared_, *this),
      input_(shared_, drain_, *this),
      subscriptions_(shared_, input_),
      random_(io::random_seed()),
      pool_(servers_of(options), options.randomize_servers, random_),
      dialer_(shared_.loop->loop(), shared_.options, *this),
      wait_timer_(
          [](void* self) {
            ConnectionCore& core = *static_cast<ConnectionCore*>(self);
            core.contain([&core] { core.dial_next(); });
          },
          this),
      ping_timer_(
          [](void* self) {
            ConnectionCore& core = *static_cast<ConnectionCore*>(self);
            core.contain([&core] { core.send_keep_alive(); });
          },
          this),
      blocked_timer_(
          [](void* self) {
            ConnectionCore& core = *static_cast<ConnectionCore*>(self);
            core.contain([&core] { core.tell_blocked(); });
          },
          this),
      memory_timer_([](void* self) { static_cast<ConnectionCore*>(self)->on_out_of_memory(); },
                    this) {}

ConnectionCore::~ConnectionCore() { MARTLET_ASSERT(!is_member_); }

template <typename Work>
void ConnectionCore::contain(Work&& work) {
  if (!fits_into_memory(work)) on_out_of_memory();
}

void ConnectionCore::on_out_of_memory() {
  input_.let_go();
  const bool fits = fits_into_memory([this] {
    const Error reason{ErrorCode::out_of_memory, "no memory for the connection's work"};
    if (shared_.is_closed()) {
      is_ending_ = false;
      end(reason.code, reason.context);  // Tells what it has not yet told.
    } else if (stream_ != nullptr) {
      lose(reason.code, reason.context);
    } else if (state() == ConnectionState::connected) {
      tell_loss(reason);
    } else {
      dialer_.cancel();
      on_dial_failed(reason);
    }
  });
  if (!fits) loop().start_timer(memory_timer_, memory_wait_ns);
}

Status ConnectionCore::check_fork() const {
  if (!fork_guard_.is_forked()) return Status();
  return Status(ErrorCode::forked,
                "the connection belongs to the process that this one was forked from");
}

// --- connecting ---

Status ConnectionCore::start() {
  ConnectionState expected = ConnectionState::fresh;
  if (!shared_.state.compare_exchange_strong(expected, ConnectionState::connecting)) {
    if (expected == ConnectionState::closed)
      return Status(ErrorCode::closed, "the connection is closed");
    return Status(ErrorCode::invalid_argument, "the connection was started before");
  }
  const bool has_thread = shared_.options.run == RunMode::own_thread;
  if (has_thread) {
    Status status(ErrorCode::out_of_memory, "");
    (void)fits_into_memory([&] { status = shared_.loop->start_keeper(); });
    if (!status) {
      shared_.state.store(ConnectionState::fresh);
      return status;
    }
  }
  bool has_begun = false;
  const bool fits = fits_into_memory([&] {
    has_begun = shared_.loop->run_on_loop([this] {
      shared_.loop->add_member(this);
      is_member_ = true;
      pool_.begin_round();
      contain([this] { dial_next(); });
    });
  });
  if (!fits || !has_begun) {
    if (has_thread) shared_.loop->stop_keeper();
    shared_.state.store(ConnectionState::fresh);
    return Status(ErrorCode::out_of_memory, "no memory for a connection");
  }
  return Status();
}

Status ConnectionCore::wait_connected(int64_t timeout_ns) {
  const bool decided =
      shared_.wait([this] { return state() != ConnectionState::connecting; }, timeout_ns);
  if (!decided) return Status(ErrorCode::timeout, "not connected in time");
  return state() == ConnectionState::closed ? shared_.end_status() : Status();
}

void ConnectionCore::dial_next() {
  if (state() == ConnectionState::closed) return;
  if (was_connected_)
    shared_.emit(CompletionKind::reconnecting, ErrorCode::ok,
                 connector_ ? "in process" : pool_.current().url.text());
  if (shared_.is_closed()) return;  // By the wake-up.
  pool_.note_attempt(loop().now_ns());
  if (connector_ != nullptr) {
    dialer_.dial(*connector_);
    return;
  }
  const ServerUrl url = pool_.current().url;  // A copy: the pool may change while we dial.
  const bool has_credentials = !url.user.empty();
  const ServerUrl* const first =
      shared_.options.servers.empty() ? nullptr : &shared_.options.servers.front();
  dialer_.dial(url, has_credentials ? &url : first);
}

void ConnectionCore::on_dial_failed(Error error) {
  last_error_ = std::move(error);
  const bool is_first = !was_connected_;
  const bool gives_up = is_first && !shared_.options.retry_on_first_connect;
  const bool round_over =
      pool_.note_failure(gives_up ? -1 : shared_.options.reconnect_attempts_max);
  if (pool_.is_empty() || (gives_up && round_over)) {
    const ErrorCode code = last_error_.code == ErrorCode::authorization ||
                                   last_error_.code == ErrorCode::unsupported ||
                                   last_error_.code == ErrorCode::out_of_memory
                               ? last_error_.code
                               : ErrorCode::no_servers;
    end(code, last_error_.context);
    return;
  }
  dial_later(round_over);
}

// No server is dialled more often than once in the wait, whether it cannot be reached or takes us
// and lets go again.
void ConnectionCore::dial_later(bool round_over) {
  const int64_t jitter_ms =
      shared_.options.reconnect_jitter_ms > 0
          ? random_.below(static_cast<uint32_t>(shared_.options.reconnect_jitter_ms) + 1)
          : 0;
  const int64_t wait_ns = (shared_.options.reconnect_wait_ms + jitter_ms) * ns_per_ms;
  loop().start_timer(wait_timer_, round_over ? wait_ns : pool_.rest_ns(loop().now_ns(), wait_ns));
}

void ConnectionCore::on_dialed(Dialed dialed) {
  contain([&] { take_stream(std::move(dialed)); });
}

void ConnectionCore::take_stream(Dialed dialed) {
  stream_ = std::move(dialed.stream);
  Status status = stream_->attach(loop(), *this);
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
  line_too_long_ = false;
  quiet_publishes_ = shared_.out.pending_bytes() == 0 ? shared_.out.messages() : -1;
  input_.begin_stream(stream_.get(), dialed.rest);
  {
    // The table and the stream change together, so that each subscription is told to the new server
    // exactly once.
    std::lock_guard<std::mutex> lock(shared_.mutex);
    shared_.out.connect(stream_.get(), shared_.subscriptions.restoring_text());
    server_.url = connector_ != nullptr ? "in process" : pool_.current().url.text();
    if (!is_first) reconnects_.fetch_add(1, std::memory_order_relaxed);
  }
  ConnectionState expected = is_first ? ConnectionState::connecting : ConnectionState::reconnecting;
  shared_.state.compare_exchange_strong(expected, ConnectionState::connected);
  take_info(dialed.info, true);
  if (stream_ == nullptr) return;  // Its wake-up closed the connection.
  if (shared_.options.ping_interval_ms > 0) {
    loop().start_timer(ping_timer_, shared_.options.ping_interval_ms * ns_per_ms);
  }
  shared_.emit(is_first ? CompletionKind::connected : CompletionKind::reconnected, ErrorCode::ok,
               server().url);
  update_interest();
  input_.deliver_rest();
}

void ConnectionCore::take_info(const ServerInfo& info, bool is_first) {
  publisher_.set_server_limits(info.max_payload, info.headers);
  {
    std::lock_guard<std::mutex> lock(shared_.mutex);
    server_.server_id = info.server_id;
    server_.server_name = info.server_name;
    server_.version = info.version;
    server_.client_id = info.client_id;
    if (!info.client_ip.empty()) server_.client_ip = info.client_ip;
    server_.max_payload_bytes = info.max_payload;
    server_.headers = info.headers;
  }
  if (connector_ == nullptr && !shared_.options.ignore_discovered_servers &&
      !info.connect_urls.empty()) {
    const std::vector<std::string> added =
        pool_.set_discovered(info.connect_urls, shared_.options.randomize_servers, random_);
    if (!added.empty()) {
      std::string list = "[";
      for (const std::string& url : added) {
        if (list.size() > 1) list += ',';
        append_json_string(list, url);
      }
      shared_.emit(CompletionKind::discovered_servers, ErrorCode::ok, list + "]");
    }
  }
  if (info.lame_duck && !is_first)
    shared_.emit(CompletionKind::lame_duck, ErrorCode::ok, "the server will stop soon");
}

// --- the end of a stream ---

void ConnectionCore::drop_stream() {
  loop().stop_timer(ping_timer_);
  loop().stop_timer(blocked_timer_);
  if (stream_ == nullptr) return;
  last_lost_publish_ = shared_.out.disconnect();
  input_.end_stream();
  stream_.reset();
}

void ConnectionCore::lose(ErrorCode code, const std::string& why) {
  if (stream_ == nullptr) return;
  // What the server said just before it closed is the better reason.
  const Error reason = last_error_.code != ErrorCode::ok ? last_error_ : Error{code, why};
  last_error_ = Error{ErrorCode::ok, ""};
  const bool subscribed_too_long = line_too_long_ && shared_.out.messages() == quiet_publishes_;
  if (input_.is_paused()) tell_blocked();
  if (stream_ == nullptr) return;  // Its wake-up closed the connection.
  drop_stream();
  if (subscribed_too_long) subscriptions_.end_longest();
  tell_loss(reason);
}

void ConnectionCore::tell_loss(const Error& reason) {
  FeedWriter writer;
  {
    std::lock_guard<std::mutex> lock(shared_.mutex);
    shared_.calls.fail_lost(last_lost_publish_, writer);
    writer.let_go();
  }
  writer.finish();
  if (shared_.is_closed()) return;  // By a wake-up: CLOSED was told.
  ConnectionState expected = ConnectionState::connected;
  const bool goes_on = shared_.options.reconnect && shared_.state.compare_exchange_strong(
                                                        expected, ConnectionState::reconnecting);
  shared_.emit(CompletionKind::disconnected, reason.code, reason.context);
  if (!goes_on) end(reason.code, reason.context);
  if (shared_.is_closed()) return;  // Or by the wake-up.
  // The server that was lost is tried last of the round.
  pool_.begin_round();
  if (pool_.size() > 1) pool_.advance();
  pool_.begin_round();
  dial_later(false);
}

// Closed for good: everybody who waits is told.
void ConnectionCore::end(ErrorCode code, const std::string& why) {
  // Its wake-ups may close the connection: that is under way. Where memory fails, it is called
  // again.
  if (is_ending_ || shared_.is_over.load(std::memory_order_acquire)) return;
  Error reason{code, why};  // Before anything has changed: there may be no memory for it.
  is_ending_ = true;
  {
    // Before the state: who sees that it is closed asks why.
    std::lock_guard<std::mutex> lock(shared_.mutex);
    shared_.end_reason = std::move(reason);
  }
  shared_.state.store(ConnectionState::closed);
  dialer_.cancel();
  loop().stop_timer(wait_timer_);
  calls_.stop();
  if (stream_ != nullptr) shared_.out.write_pending();
  drop_stream();
  shared_.out.close();
  drain_.stop();
  input_.leave_queue();
  FeedWriter writer;
  {
    std::lock_guard<std::mutex> lock(shared_.mutex);
    shared_.calls.fail_all(ErrorCode::closed, writer);
    // One by one: where memory fails, the rest is told later.
    while (const std::shared_ptr<SubscriptionState> subscription = shared_.subscriptions.any()) {
      ConnectionShared::end_subscription_locked(*subscription, code, writer);
      shared_.subscriptions.remove(subscription->sid);
    }
    publisher_.fail_waiters_locked(writer);
    writer.let_go();
  }
  writer.finish();
  if (shared_.is_over.load(std::memory_order_acquire)) return;  // Told by one that found memory.
  shared_.emit(CompletionKind::closed, code, why);
  shared_.is_over.store(true, std::memory_order_release);
}

void ConnectionCore::on_input_paused() {
  loop().start_timer(blocked_timer_, blocked_wait_ns);
  update_interest();
}

// Nothing else would tell: the queue of the subscription is the one that nobody polls.
void ConnectionCore::tell_blocked() {
  if (!input_.is_paused() || shared_.events == nullptr) return;
  const std::string text = fmt::format(
      "subscription {} has no room: until its messages are taken nothing is read from the server, "
      "which will judge this connection slow",
      input_.blocked_sid());
  Completion completion;
  completion.kind = CompletionKind::slow_consumer;
  completion.status = status_number(ErrorCode::slow_consumer);
  completion.sid = input_.blocked_sid();
  completion.cookie = shared_.cookie;
  completion.received_ns = shared_.loop->clock().wall_ns();
  completion.data = text;
  shared_.events->add(completion);
}

void ConnectionCore::send_keep_alive() {
  loop().start_timer(ping_timer_, shared_.options.ping_interval_ms * ns_per_ms);
  if (input_.take_pong_seen()) pings_out_ = 0;
  if (stream_ == nullptr || input_.is_paused()) return;  // While paused we do not read the answer.
  if (pings_out_ >= shared_.options.pings_out_max) {
    last_error_ = Error{ErrorCode::ok, ""};
    lose(ErrorCode::stale_connection, fmt::format("{} pings were not answered", pings_out_));
    return;
  }
  ++pings_out_;
  std::lock_guard<std::mutex> lock(shared_.mutex);
  shared_.calls.add_ping(CallTable::PingKind::keep_alive, {}, 0, -1);
  shared_.out.control("PING\r\n", false);
}

Status ConnectionCore::close() {
  shared_.loop->run_on_loop(
      [this] { contain([this] { end(ErrorCode::ok, "closed by the program"); }); });
  return Status();
}

void ConnectionCore::leave() {
  shared_.loop->run_on_loop([this] {
    contain([this] { end(ErrorCode::ok, "closed by the program"); });
    if (is_member_) shared_.loop->remove_member(this);
  });
  if (is_member_ && shared_.options.run == RunMode::own_thread) shared_.loop->stop_keeper();
  is_member_ = false;
}

Status ConnectionCore::wait_closed(int64_t timeout_ns) {
  // Not the state: it is closed before the last completion is written.
  const bool closed =
      shared_.wait([this] { return shared_.is_over.load(std::memory_order_acquire); }, timeout_ns);
  if (!closed) return Status(ErrorCode::timeout, "not closed in time");
  std::lock_guard<std::mutex> lock(shared_.mutex);
  return shared_.end_reason.code == ErrorCode::ok ? Status() : Status(shared_.end_reason);
}

// --- the loop's calls ---

int64_t ConnectionCore::on_before_wait(bool is_keeper) {
  if (stream_ == nullptr) return -1;
  int64_t wanted_in_ns = -1;
  contain([&] {
    OutgoingBuffer::Look look = shared_.out.look();
    const bool room_is_awaited = shared_.is_room_awaited();
    if (!is_keeper || look.wanted_in_ns == 0 || room_is_awaited) {
      shared_.out.write_pending();
      look = shared_.out.look();
      // Who waits for room is told, or looks, at the end of a turn: this one must not sleep first.
      if (!look.is_blocked && room_is_awaited) look.wanted_in_ns = 0;
    }
    wanted_in_ns = look.is_broken ? 0 : look.wanted_in_ns;  // The turn ends a broken stream.
    set_interest(look.is_blocked);
  });
  return wanted_in_ns;
}

int64_t ConnectionCore::on_turn(bool is_keeper) {
  int64_t wanted_in_ns = 0;
  contain([&] { wanted_in_ns = do_turn(is_keeper); });
  return wanted_in_ns;
}

int64_t ConnectionCore::do_turn(bool is_keeper) {
  OutgoingBuffer::Look look = shared_.out.look();
  if (stream_ != nullptr && look.wanted_in_ns >= 0 && (look.wanted_in_ns == 0 || !is_keeper)) {
    shared_.out.write_pending();
    look = shared_.out.look();
  }
  if (stream_ != nullptr && look.is_broken) {
    input_.read();  // What the server said before it closed is the reason.
    lose(ErrorCode::disconnected, "the connection broke while writing");
  }
  if (stream_ != nullptr) set_interest(look.is_blocked);
  publisher_.tell_capacity();
  calls_.watch_deadline();
  // What a wake-up has published meanwhile: nobody else was asked, and who turns may leave now.
  look = shared_.out.look();
  if (stream_ != nullptr && look.wanted_in_ns >= 0 && !is_keeper) {
    shared_.out.write_pending();
    look = shared_.out.look();
    set_interest(look.is_blocked);
  }
  return look.is_broken ? 0 : look.wanted_in_ns;
}

void ConnectionCore::update_interest() { set_interest(shared_.out.look().is_blocked); }

void ConnectionCore::set_interest(bool write) {
  if (stream_ == nullptr) return;
  Status status = stream_->set_interest(!input_.is_paused(), write);
  if (!status) lose(status.code(), status.error().context);
}

int ConnectionCore::direct_descriptor() {
  if (stream_ == nullptr || input_.is_paused() || shared_.out.look().is_blocked) return -1;
  return stream_->descriptor();
}

void ConnectionCore::on_spin(bool spinning) {
  if (stream_ != nullptr) stream_->set_spinning(spinning);
}

void ConnectionCore::on_look() {
  if (stream_ != nullptr && !input_.is_paused()) contain([this] { input_.read(); });
}

void ConnectionCore::resume_input() {
  contain([this] { input_.resume(); });
}

void ConnectionCore::on_stream_ready(bool readable, bool writable) {
  contain([&] {
    if (writable) shared_.out.on_writable();
    if (readable && !input_.is_paused()) input_.read();
  });
}

void ConnectionCore::on_input_nonsense(ErrorCode code, const std::string& why) {
  last_error_ = Error{ErrorCode::ok, ""};
  lose(code, why);
}

void ConnectionCore::on_server_error(const std::string& text) {
  last_error_ = Error{code_of_server_error(text), fmt::format("the server said \"{}\"", text)};
  shared_.emit(CompletionKind::error, last_error_.code, text);
  line_too_long_ = line_too_long_ || is_line_too_long(text);
  // These leave the connection open: they are no reason for a later loss.
  if (last_error_.code == ErrorCode::permissions ||
      last_error_.code == ErrorCode::invalid_subject) {
    last_error_ = Error{ErrorCode::ok, ""};
  }
}

void ConnectionCore::on_server_info(const std::string& json) {
  const Result<ServerInfo> info = parse_server_info(json);
  if (info) take_info(*info, false);
}

// --- what it knows ---

ConnectionStatistics ConnectionCore::statistics() const {
  ConnectionStatistics s;
  s.in_messages = input_.messages();
  s.in_bytes = input_.bytes();
  s.reconnects = reconnects_.load(std::memory_order_relaxed);
  shared_.out.count(&s.out_messages, &s.out_bytes);
  s.pending_bytes = shared_.out.pending_bytes();
  std::lock_guard<std::mutex> lock(shared_.mutex);
  s.subscriptions = static_cast<int64_t>(shared_.subscriptions.size()) -
                    (shared_.inbox_sid != 0 && shared_.subscriptions.size() > 0 ? 1 : 0);
  return s;
}

ServerDescription ConnectionCore::server() const {
  std::lock_guard<std::mutex> lock(shared_.mutex);
  return server_;
}

}  // namespace martlet::client
