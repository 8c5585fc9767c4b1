// SPDX-License-Identifier: Apache-2.0
//
// Owns what each operation of a client does. The rules and texts are those observed on
// nats-server 2.15.2; tests/conformance holds them as transcripts.
#include "broker/session.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/go_duration.hpp"
#include "base/out_of_memory.hpp"
#include "broker/message_writer.hpp"
#include "broker/parse_failure.hpp"
#include "broker/reserved_subjects.hpp"
#include "broker/shard.hpp"
#include "subject/subject.hpp"

namespace martlet::broker {
namespace {

constexpr size_t verdicts_max = 128;
constexpr std::string_view system_queue = "_sys_";

// The lower of two limits of which below 0 is none.
int64_t lower_limit(int64_t one, int64_t other) {
  return one < 0 ? other : other < 0 ? one : std::min(one, other);
}

protocol::ParserLimits first_limits(const SessionOptions& options, const Account& account) {
  protocol::ParserLimits limits;
  limits.control_line_bytes_max = options.control_line_bytes_max;
  limits.payload_bytes_max =
      lower_limit(options.payload_bytes_max, account.limits().payload_bytes_max);
  limits.headers = false;
  limits.connect_required = options.auth_required;
  return limits;
}

}  // namespace

Session::Session(Shard& shard, SessionHost& host, SessionSetup setup)
    : shard_(shard),
      host_(host),
      setup_(std::move(setup)),
      options_(shard.session_options()),
      account_(setup_.account),
      parser_(first_limits(*options_, *setup_.account)),
      output_(shard.chunks()),
      stall_bytes_(options_->pending_bytes_max / 4 * 3),
      traces_(options_->trace) {
  if (options_->stalls_producers) stall_bytes_ = std::min(stall_bytes_, stall_bytes_max);
  shard_.expect_session();
}

Session::~Session() {
  if (has_joined_) account_->leave();
  (void)shard_.unsubscribe_some(*this, SIZE_MAX);
  shard_.forget(*this);
}

void Session::start(int64_t now_ns) {
  start_ns_ = now_ns;
  protocol::ServerInfo info = *setup_.info;
  info.client_id = setup_.id;
  info.client_ip = setup_.client_ip;
  info.max_payload = parser_.limits().payload_bytes_max;
  write_protocol(protocol::encode_info(info));
  if (setup_.refuse == CloseReason::max_connections_exceeded) {
    log(LogLevel::error, "maximum connections exceeded");
    write_error("maximum connections exceeded");
    close(setup_.refuse);
  }
}

void Session::on_operation(const protocol::Operation& operation, int64_t now_ns) {
  // What nats-server counts as a sign of life; a PONG is only an answer.
  if (operation.kind <= protocol::OperationKind::ping &&
      operation.kind != protocol::OperationKind::connect) {
    last_activity_ns_ = now_ns;
  }
  if (traces_) setup_.log.trace_in(operation);
  switch (operation.kind) {
    case protocol::OperationKind::publish:
      on_publish(operation);
      break;
    case protocol::OperationKind::subscribe:
      on_subscribe(operation);
      break;
    case protocol::OperationKind::unsubscribe:
      on_unsubscribe(operation);
      break;
    case protocol::OperationKind::peer_publish:
      statistics_.in_msgs += 1;
      if (!is_forbidden_publish({})) write_ok();
      break;
    case protocol::OperationKind::ping:
      on_ping();
      break;
    case protocol::OperationKind::pong:
      pings_out_ = 0;
      if (ping_sent_ns_ != 0) rtt_ns_ = now_ns - ping_sent_ns_;
      break;
    case protocol::OperationKind::connect:
      on_connect(operation, now_ns);
      break;
    case protocol::OperationKind::info:
      if (!protocol::is_info(operation.argument)) {
        log(LogLevel::error, "INFO is no JSON object, or has a wrong type");
        close(CloseReason::protocol_violation);
      }
      break;
    case protocol::OperationKind::ok:
      break;
    case protocol::OperationKind::error:
      log(LogLevel::error, fmt::format("Client Error {}", operation.argument));
      close(CloseReason::parse_error);
      break;
  }
}

void Session::on_parse_error(protocol::ParseResult result, const protocol::Operation& operation,
                             std::string_view bytes) {
  log(LogLevel::error,
      parse_failure_text(result, operation, bytes, parser_.limits().payload_bytes_max));
  switch (result) {
    case protocol::ParseResult::unknown_operation:
      write_error("Unknown Protocol Operation");
      close(CloseReason::protocol_violation);
      break;
    case protocol::ParseResult::control_line_too_long:
      write_error("maximum control line exceeded");
      close(CloseReason::max_control_line_exceeded);
      break;
    case protocol::ParseResult::payload_too_large:
      write_error("Maximum Payload Violation");
      close(CloseReason::max_payload_exceeded);
      break;
    case protocol::ParseResult::connect_required:
      write_error("Authorization Violation");
      close(CloseReason::authentication_violation);
      break;
    default:
      close(CloseReason::protocol_violation);
      break;
  }
}

void Session::on_connect(const protocol::Operation& operation, int64_t now_ns) {
  if (rtt_ns_ == 0) rtt_ns_ = now_ns - start_ns_;  // A first guess.
  Status status = protocol::read_connect(operation.argument, connect_);
  if (!status) {
    log(LogLevel::error, status.error().context);
    close(CloseReason::protocol_violation);
    return;
  }
  const bool first = !connect_received_;
  connect_received_ = true;
  if (!first) shard_.unsubscribe_all(*this);
  parser_.limits().headers = options().headers && connect_.headers;
  if (setup_.authenticator->is_slow()) {
    is_waiting_ = true;
    host_.on_slow_authentication();
    return;
  }
  finish_connect(setup_.authenticator->check({connect_.user, connect_.password, connect_.token}));
}

void Session::finish_connect(std::shared_ptr<const auth::Principal> principal) {
  is_waiting_ = false;
  const bool has_token = !connect_.token.empty();
  if (!setup_.authenticator->is_required()) {
    // Nobody asked for secrets: none are kept. Where they count, a second CONNECT may leave them
    // out.
    connect_.password.clear();
    connect_.token.clear();
  }
  if (is_closing()) return;
  if (principal == nullptr || connect_.has_account) {
    std::string text = "authentication error";
    if (!connect_.user.empty()) {
      text += " - User " + go_quoted(connect_.user);
    } else if (has_token) {
      text += " - Token \"[REDACTED]\"";
    }
    log(LogLevel::error, text);
    write_error("Authorization Violation");
    close(CloseReason::authentication_violation);
    return;
  }
  user_ = principal->user;
  set_principal(std::move(principal));
  setup_.log.name(connect_, account_->name(), has_token);
  if (joins_account()) admit();
}

// A second CONNECT joins no second time.
bool Session::joins_account() {
  has_joined_ = has_joined_ || account_->join();
  if (has_joined_) return true;
  log(LogLevel::error, "maximum account active connections exceeded");
  write_error("maximum account active connections exceeded");
  close(CloseReason::max_account_connections_exceeded);
  return false;
}

// The rights are settled; what is left are the rules of the protocol.
void Session::admit() {
  parser_.limits().connect_required = false;
  if (connect_.protocol < 0 || connect_.protocol > 1) {
    log(LogLevel::error, "invalid client protocol");
    write_error("invalid client protocol");
    close(CloseReason::bad_client_protocol);
    return;
  }
  if (connect_.no_responders && !parser_.limits().headers) {
    log(LogLevel::error, "no responders requires headers support");
    write_error("no responders requires headers support");
    close(CloseReason::no_responders_requires_headers);
    return;
  }
  write_ok();
}

void Session::set_principal(std::shared_ptr<const auth::Principal> principal) {
  principal_ = std::move(principal);
  const auth::Permissions* rights = permissions();
  std::vector<Subscription*> all;
  subscriptions_.for_each([&](Subscription& subscription) {
    subscription.filters_delivery = false;
    if (rights != nullptr) all.push_back(&subscription);
  });
  for (Subscription* subscription : all) {
    const std::string pattern = account_->routing().pattern_of(subscription);
    const std::string queue = account_->routing().queue_of(subscription);
    if (rights->may_subscribe(pattern, queue)) {
      subscription->filters_delivery = rights->filters_delivery(pattern, queue);
      continue;
    }
    write_error(fmt::format("Permissions Violation for Subscription to {} (sid {})",
                            go_quoted(pattern), go_quoted(subscription->sid())));
    shard_.unsubscribe(*subscription);
  }
}

bool Session::may_publish(std::string_view subject) {
  const auth::Permissions* rights = permissions();
  if (rights == nullptr) return true;
  if (verdicts_ == nullptr) verdicts_ = std::make_unique<std::vector<Verdict>>();
  if (verdicts_epoch_ != principal_->epoch) {
    verdicts_->clear();
    verdicts_epoch_ = principal_->epoch;
  }
  for (const Verdict& verdict : *verdicts_) {
    if (verdict.subject == subject) return verdict.allowed;
  }
  const bool allowed = rights->may_publish(subject);
  if (verdicts_->size() >= verdicts_max) verdicts_->clear();
  verdicts_->push_back({std::string(subject), allowed});
  return allowed;
}

// Subjects that belong to the servers themselves. True when the publish was refused.
bool Session::is_reserved_publish(const protocol::Operation& operation) {
  const char first = operation.subject[0];
  if ((first == '_' || first == '$') && is_reserved_subject(operation.subject)) {
    write_error("Permissions Violation for Publish to " + go_quoted(operation.subject));
    log(LogLevel::error, "Publish Violation - Subject " + go_quoted(operation.subject));
    return true;
  }
  if (!operation.reply.empty() && (operation.reply[0] == '_' || operation.reply[0] == '$') &&
      is_reserved_reply(operation.reply)) {
    write_error("Permissions Violation for Publish with Reply of " + go_quoted(operation.reply));
    log(LogLevel::error, "Publish Violation - Reply " + go_quoted(operation.reply));
    return true;
  }
  return false;
}

bool Session::is_forbidden_publish(std::string_view subject) {
  if (permissions() == nullptr || may_publish(subject)) return false;
  write_error("Permissions Violation for Publish to " + go_quoted(subject));
  log(LogLevel::error, "Publish Violation - Subject " + go_quoted(subject));
  return true;
}

void Session::on_control_line(const protocol::Operation& operation) {
  if (!connect_.pedantic || was_line_seen_) return;
  was_line_seen_ = true;
  if (!subject::has_plain_tokens(operation.subject)) write_error("Invalid Publish Subject");
}

void Session::on_publish(const protocol::Operation& operation) {
  statistics_.in_msgs += 1;
  statistics_.in_bytes += operation.payload.size();
  if (connect_.pedantic) {
    on_control_line(operation);
    was_line_seen_ = false;
  }
  if (is_forbidden_publish(operation.subject) || is_reserved_publish(operation)) return;
  write_ok();
  Message message;
  message.subject = operation.subject;
  message.reply = operation.reply;
  message.payload = operation.payload;
  message.has_headers = operation.has_headers && operation.header_bytes > 0;
  message.header_bytes = operation.header_bytes;
  message.size_zeros = operation.size_zeros;
  message.header_size_zeros = operation.header_size_zeros;
  message.payload_is_stable = true;
  message.publisher = this;
  if (shard_.publish(*account_, message) || operation.reply.empty() || !connect_.no_responders)
    return;
  const Subscription* subscription = shard_.find_plain(*this, operation.reply);
  if (subscription == nullptr) return;
  const size_t bytes = 32 + operation.subject.size();
  write_protocol(fmt::format("HMSG {} {} {} {}\r\nNATS/1.0 503\r\nNats-Subject: {}\r\n\r\n\r\n",
                             operation.reply, subscription->sid(), bytes, bytes,
                             operation.subject));
}

void Session::on_subscribe(const protocol::Operation& operation) {
  const std::string_view subject = operation.subject;
  const std::string_view queue = operation.queue;
  const auth::Permissions* rights = permissions();
  if (queue == system_queue || (rights != nullptr && !rights->may_subscribe(subject, queue))) {
    std::string text = "Permissions Violation for Subscription to " + go_quoted(subject);
    if (!queue.empty()) text += " using queue " + go_quoted(queue);
    write_error(text);
    log(LogLevel::error,
        fmt::format("Subscription Violation - Subject {}, {}SID {}", go_quoted(subject),
                    queue.empty() ? "" : fmt::format("Queue: {}, ", go_quoted(queue)),
                    operation.sid));
    return;
  }
  if (options().subject_tokens_max > 0 &&
      subject::token_count(subject) > static_cast<size_t>(options().subject_tokens_max)) {
    write_error("Permissions Violation for Subscription to " + go_quoted(subject) +
                ", too many tokens");
    log(LogLevel::error, fmt::format("Subscription Violation Too Many Tokens - Subject {}, SID {}",
                                     go_quoted(subject), operation.sid));
    return;
  }
  const int64_t account_max = account_->limits().subscriptions_max;
  const bool is_full =
      (options().subscriptions_max > 0 &&
       static_cast<int64_t>(subscriptions_.size()) >= options().subscriptions_max) ||
      (account_max >= 0 && static_cast<int64_t>(account_->routing().count()) >= account_max);
  if (is_full || shard_.budget().refuses_newcomers()) {
    log(LogLevel::error, "maximum subscriptions exceeded");
    write_error("maximum subscriptions exceeded");
    return;
  }
  if (subscriptions_.find(operation.sid) != nullptr) {
    write_ok();
    return;
  }
  switch (shard_.subscribe(*this, subject, queue, operation.sid)) {
    case SubscribeResult::invalid_subject:
      write_error("Invalid Subject");
      break;
    case SubscribeResult::out_of_memory:
      log(LogLevel::error, "no memory for a subscription");
      write_error("maximum subscriptions exceeded");
      break;
    default:
      write_ok();
      break;
  }
}

void Session::on_unsubscribe(const protocol::Operation& operation) {
  Subscription* subscription = subscriptions_.find(operation.sid);
  if (subscription != nullptr) {
    if (operation.max > 0 && operation.max > subscription->delivered) {
      subscription->max = operation.max;
    } else {
      shard_.unsubscribe(*subscription);
    }
  }
  write_ok();
}

void Session::on_ping() {
  // What was published anywhere before this PING was sent stands before its PONG.
  shard_.host().drain_inbox();
  write_protocol("PONG\r\n");
  if (!connect_received_ || first_pong_sent_) return;
  first_pong_sent_ = true;
  if (connect_.protocol < 1) return;
  protocol::ServerInfo info = *setup_.info;
  info.client_id = setup_.id;
  info.client_ip = setup_.client_ip;
  info.max_payload = parser_.limits().payload_bytes_max;
  info.connect_info = true;
  info.remote_account = account_->name();
  write_protocol(protocol::encode_info(info));
}

void Session::on_ping_timer(int64_t now_ns) {
  log(LogLevel::debug, "Client Ping Timer");
  constexpr int64_t rtt_interval_ns = 3600LL * 1'000'000'000;
  const bool needs_rtt = ping_sent_ns_ == 0 || now_ns - ping_sent_ns_ > rtt_interval_ns;
  if (now_ns - last_activity_ns_ < options().ping_interval_ns && !needs_rtt) return;
  if (pings_out_ + 1 > options().pings_out_max) {
    log(LogLevel::debug, "Stale Client Connection - Closing");
    write_error("Stale Connection");
    close(CloseReason::stale_connection);
    return;
  }
  pings_out_ += 1;
  ping_sent_ns_ = now_ns;
  write_protocol("PING\r\n");
}

void Session::on_write_deadline() {
  log(LogLevel::info, fmt::format("Slow Consumer Detected: WriteDeadline of {} exceeded with {} "
                                  "chunks of {} total bytes.",
                                  format_go_duration(options().write_deadline_ns),
                                  output_.segment_count(), output_.pending_bytes()));
  close(CloseReason::slow_consumer_write_deadline);
}

void Session::measure_rtt(int64_t now_ns) {
  if (rtt_ns_ != 0 || pings_out_ != 0 || !first_pong_sent_ || connect_.language.empty() ||
      is_closing())
    return;
  pings_out_ += 1;
  ping_sent_ns_ = now_ns;
  write_protocol("PING\r\n");
}

void Session::on_auth_timeout() {
  log(LogLevel::debug, "Authentication Timeout");
  write_error("Authentication Timeout");
  close(CloseReason::authentication_timeout);
}

void Session::on_out_of_memory() {
  // Half a message may stand at its end: nothing of it is written any more.
  output_.clear();
  if (is_closing()) return;
  close(CloseReason::out_of_memory);
  if (!fits_into_memory([&] { log(LogLevel::error, "Out of memory: the connection is closed"); }))
    shard_.log_without_memory("Out of memory: a connection is closed");
}

void Session::close(CloseReason reason) {
  if (is_closing()) return;
  close_reason_ = reason;
  takes_messages_ = false;
  if (has_joined_) account_->leave();
  has_joined_ = false;
  if (!is_ended_) {
    is_ended_ = true;
    shard_.mark_ended(*this);
  }
}

void Session::mark_dirty() {
  if (is_dirty_) return;
  is_dirty_ = true;
  shard_.mark_dirty(*this);
}

void Session::write_protocol(std::string_view text) {
  if (is_closing()) return;
  const bool fits = fits_into_memory([&] {
    if (traces_) setup_.log.trace_out(text);
    const bool whole = output_.append(text);
    mark_dirty();
    check_pending(whole);
  });
  if (!fits) on_out_of_memory();
}

void Session::write_error(std::string_view text) {
  write_protocol(fmt::format("-ERR '{}'\r\n", text));
}

void Session::write_message(const Subscription& subscription, const Message& message) {
  if (!fits_into_memory([&] { put_message(subscription, message); })) on_out_of_memory();
}

void Session::put_message(const Subscription& subscription, const Message& message) {
  const Delivery delivery = delivery_of(message, subscription.sid(), parser_.limits().headers);
  if (traces_) {
    setup_.log.trace_message(delivery.sid, message, delivery.with_headers, delivery.payload);
  }
  const bool whole = append_message(output_, message, delivery);
  statistics_.out_msgs += 1;
  statistics_.out_bytes += delivery.payload.size();
  mark_dirty();
  check_pending(whole);
}

// Answers count like messages: who asks and never reads is as slow.
void Session::check_pending(bool whole) {
  if (!whole) {
    on_out_of_memory();
  } else if (static_cast<int64_t>(output_.pending_bytes()) > stall_bytes_) {
    on_much_pending();
  }
}

// Much waits here. A burst within one turn is no sign of a slow reader: what the transport takes
// now does not count.
void Session::on_much_pending() {
  host_.on_much_pending();
  if (is_closing()) return;
  const int64_t pending = static_cast<int64_t>(output_.pending_bytes());
  if (pending <= stall_bytes_) return;
  if (pending > options().pending_bytes_max || shard_.budget().slow_consumers_must_go()) {
    end_slow_consumer();
  } else if (options().stalls_producers) {
    shard_.request_stall();
  } else {
    is_behind_ = true;
    takes_messages_ = false;
  }
}

// It has caught up, or not.
void Session::leave_behind() {
  if (is_closing() || static_cast<int64_t>(output_.pending_bytes()) > stall_bytes_) return;
  is_behind_ = false;
  takes_messages_ = true;
}

void Session::on_memory_spent() {
  if (is_closing() || static_cast<int64_t>(output_.held_bytes()) <= spared_bytes_max) return;
  if (!fits_into_memory([&] { end_slow_consumer(); })) on_out_of_memory();
}

void Session::end_slow_consumer() {
  shard_.statistics().slow_consumers += 1;
  log(LogLevel::info, fmt::format("Slow Consumer Detected: MaxPending of {} Exceeded",
                                  options().pending_bytes_max));
  close(CloseReason::slow_consumer_pending_bytes);
  output_.clear();
}

}  // namespace martlet::broker
