// SPDX-License-Identifier: Apache-2.0
//
// Owns the state of one client connection above its transport: what it said of itself, its rights,
// its subscriptions, its output. Operations in, output out; no socket, no clock, no thread of its
// own. TCP and the in-process link both end here.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/authenticator.hpp"
#include "base/go_quoted.hpp"
#include "broker/account.hpp"
#include "broker/close_reason.hpp"
#include "broker/message.hpp"
#include "broker/output_queue.hpp"
#include "broker/session_log.hpp"
#include "broker/session_options.hpp"
#include "broker/sid_table.hpp"
#include "broker/subscription.hpp"
#include "protocol/connect_options.hpp"
#include "protocol/parser.hpp"
#include "protocol/server_info.hpp"

namespace martlet::broker {

class Shard;
class Session;

/// What carries a session. All calls come on the session's loop.
class SessionHost {
 public:
  /// CONNECT needs a check that is too slow for a loop: parsing must pause until
  /// Session::finish_connect().
  virtual void on_slow_authentication() = 0;
  /// Much output waits: write what can be written now, before the session judges its client.
  virtual void on_much_pending() = 0;

 protected:
  ~SessionHost() = default;
};

struct SessionStatistics {
  uint64_t in_msgs = 0;
  uint64_t in_bytes = 0;
  uint64_t out_msgs = 0;
  uint64_t out_bytes = 0;
  uint64_t stalls = 0;
};

/// What a broker wires a session with; the pointers outlive it.
struct SessionSetup {
  uint64_t id = 0;
  std::shared_ptr<const auth::Authenticator> authenticator;
  std::shared_ptr<const protocol::ServerInfo> info;
  CloseReason refuse =
      CloseReason::none;       // Not none: say so and end, there is no room for this one.
  Account* account = nullptr;  // Where everybody goes whom the authenticator gives no other.
  std::string client_ip;
  SessionLog log;
};

class Session {
 public:
  Session(Shard& shard, SessionHost& host, SessionSetup setup);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Says INFO; call once.
  void start(int64_t now_ns);
  /// Acts on one operation. Whether the session goes on is told by is_closing() and is_waiting().
  void on_operation(const protocol::Operation& operation, int64_t now_ns);
  /// A publish whose payload is still on its way; what follows from its line alone is told now, and
  /// once only. May be called more than once.
  void on_control_line(const protocol::Operation& operation);
  /// `operation` and `bytes` are what Parser::next() left and looked at.
  void on_parse_error(protocol::ParseResult result, const protocol::Operation& operation,
                      std::string_view bytes);
  void on_ping_timer(int64_t now_ns);
  void on_auth_timeout();
  /// Memory could not be had for what was done for this client: it gives back what it holds and
  /// ends, as a slow consumer does. Needs no memory.
  void on_out_of_memory();
  /// The transport took nothing for as long as it may.
  void on_write_deadline();
  /// There is no memory left for what waits for consumers: one that is behind ends.
  void on_memory_spent();
  /// The transport took what it could.
  void on_written() {
    if (is_behind_) leave_behind();
  }
  /// Sends a PING of which the answer tells the round trip, unless it is known or the client is not
  /// ready for one.
  void measure_rtt(int64_t now_ns);
  /// The answer to SessionHost::on_slow_authentication.
  void finish_connect(std::shared_ptr<const auth::Principal> principal);
  /// New rights: verdicts cached under the old epoch are dropped, subscriptions that are no longer
  /// allowed are ended.
  void set_principal(std::shared_ptr<const auth::Principal> principal);

  /// Ends the session: its output so far is still written if the transport can. The first reason
  /// stays.
  void close(CloseReason reason);
  /// The transport has taken note of the output: the next growth tells the shard again.
  void clear_dirty() { is_dirty_ = false; }
  bool is_closing() const { return close_reason_ != CloseReason::none; }
  /// False: it is closing, or behind and its producers are not slowed down; messages pass it by.
  bool takes_messages() const { return takes_messages_; }
  CloseReason close_reason() const { return close_reason_; }
  /// True while a slow check of CONNECT is under way: nothing more may be parsed.
  bool is_waiting() const { return is_waiting_; }
  bool awaits_connect() const { return parser_.limits().connect_required; }
  bool is_connected() const { return connect_received_; }

  /// Puts one message of `subscription` into the output. When memory cannot be had the session
  /// ends; nobody else is concerned.
  void write_message(const Subscription& subscription, const Message& message);
  /// As write_message(). What is said to a session that has ended is dropped.
  void write_protocol(std::string_view text);
  /// "-ERR '<text>'\r\n".
  void write_error(std::string_view text);

  Shard& shard() { return shard_; }
  SessionHost& host() { return host_; }
  protocol::Parser& parser() { return parser_; }
  OutputQueue& output() { return output_; }
  const SessionOptions& options() const { return *options_; }
  uint64_t id() const { return setup_.id; }
  Account& account() { return *account_; }
  const Account& account() const { return *account_; }
  const protocol::ConnectOptions& connect_options() const { return connect_; }
  const SessionSetup& setup() const { return setup_; }
  const std::string& user() const { return user_; }
  const SessionStatistics& statistics() const { return statistics_; }
  SessionStatistics& statistics() { return statistics_; }
  SidTable& subscriptions() { return subscriptions_; }
  const SidTable& subscriptions() const { return subscriptions_; }
  bool echoes() const { return connect_.echo; }
  int64_t last_activity_ns() const { return last_activity_ns_; }
  int64_t rtt_ns() const { return rtt_ns_; }
  const auth::Permissions* permissions() const {
    return principal_ ? principal_->permissions.get() : nullptr;
  }
  /// For tests: how many verdicts on publishes are cached now.
  size_t cached_verdict_count() const { return verdicts_ ? verdicts_->size() : 0; }

 private:
  friend class Shard;
  struct Verdict {
    std::string subject;
    bool allowed;
  };

  static constexpr int64_t spared_bytes_max =
      64 * 1024;  // So much may wait even where memory is spent.
  static constexpr int64_t stall_bytes_max =
      4 * 1024 * 1024;  // Behind by this much, a receiver slows its producers down.

  void on_connect(const protocol::Operation& operation, int64_t now_ns);
  void on_publish(const protocol::Operation& operation);
  bool is_forbidden_publish(std::string_view subject);
  void on_subscribe(const protocol::Operation& operation);
  void on_unsubscribe(const protocol::Operation& operation);
  void on_ping();
  void admit();
  void put_message(const Subscription& subscription, const Message& message);
  void check_pending(bool whole);
  void on_much_pending();
  void end_slow_consumer();
  void leave_behind();
  bool joins_account();
  bool may_publish(std::string_view subject);
  bool is_reserved_publish(const protocol::Operation& operation);
  void write_ok() {
    if (connect_.verbose) write_protocol("+OK\r\n");
  }
  void mark_dirty();
  void log(LogLevel level, std::string_view text) const { setup_.log.write(level, text); }

  Shard& shard_;
  SessionHost& host_;
  SessionSetup setup_;
  const SessionOptionsSnapshot options_;  // The shard's when this was made; it may have others now.
  Account* account_;
  std::shared_ptr<const auth::Principal> principal_;
  protocol::Parser parser_;
  protocol::ConnectOptions connect_;
  OutputQueue output_;
  SidTable subscriptions_;
  SessionStatistics statistics_;
  std::string user_;
  std::unique_ptr<std::vector<Verdict>> verdicts_;
  uint64_t verdicts_epoch_ = 0;
  int64_t last_activity_ns_ = 0;
  int64_t start_ns_ = 0;
  int64_t ping_sent_ns_ = 0;
  int64_t stall_bytes_;
  bool traces_;  // As the options have it: asked for each message.
  int64_t rtt_ns_ = 0;
  int64_t pings_out_ = 0;
  CloseReason close_reason_ = CloseReason::none;
  bool connect_received_ = false;
  bool first_pong_sent_ = false;
  bool was_line_seen_ = false;  // Of the publish under way, if pedantic.
  bool is_waiting_ = false;
  bool is_dirty_ = false;    // In Shard::dirty_.
  bool is_ended_ = false;    // In Shard::ended_.
  bool has_joined_ = false;  // Counted by its account.
  bool takes_messages_ = true;
  bool is_behind_ = false;  // Therefore it takes none.
};

}  // namespace martlet::broker
