// SPDX-License-Identifier: Apache-2.0
//
// Owns the fields, their names and their order.
#include "server/connection_row.hpp"

#include "server/go_time.hpp"

namespace martlet::server {

size_t ConnectionRow::bytes() const {
  size_t bytes = sizeof *this + ip.size() + name.size() + language.size() + version.size() +
                 user.size() + account.size();
  for (const SubscriptionRow& row : subscriptions) {
    bytes +=
        sizeof row + row.account.size() + row.subject.size() + row.queue.size() + row.sid.size();
  }
  return bytes;
}

ConnectionRow read_connection(const net::Connection& connection, const Now& now) {
  const broker::Session& session = connection.session();
  const protocol::ConnectOptions& connect = session.connect_options();
  ConnectionRow row;
  row.cid = session.id();
  row.port = connection.stream().peer_port();
  if (row.port != 0) row.ip = connection.stream().peer_host();
  row.start_wall_ns = connection.start_wall_ns();
  const int64_t last_ns = session.last_activity_ns();
  row.last_activity_wall_ns =
      last_ns == 0 ? row.start_wall_ns : now.wall_ns - (now.monotonic_ns - last_ns);
  row.reason = session.close_reason();
  row.rtt_ns = session.rtt_ns();
  row.pending_bytes = const_cast<broker::Session&>(session).output().pending_bytes();
  row.moved = session.statistics();
  row.subscription_count = session.subscriptions().size();
  row.name = connect.name;
  row.language = connect.language;
  row.version = connect.version;
  // Who came with a token has no name; that there was one is all that may be told.
  const bool has_token = connect.user.empty() && session.setup().authenticator->is_required();
  row.user = has_token ? "[REDACTED]" : connect.user;
  row.account = session.account().name();
  return row;
}

SubscriptionRow read_subscription(const broker::Session& session,
                                  const broker::Subscription& subscription) {
  SubscriptionRow row;
  row.account = session.account().name();
  row.subject = session.account().routing().pattern_of(&subscription);
  row.queue = session.account().routing().queue_of(&subscription);
  row.sid = subscription.sid();
  row.msgs = subscription.delivered;
  row.max = subscription.max;
  row.cid = session.id();
  return row;
}

void write_subscription(JsonWriter& json, const SubscriptionRow& row, bool with_account) {
  json.open_object();
  if (with_account) {
    json.text("account", row.account);
    json.text("account_tag", row.account);
  }
  json.text("subject", row.subject);
  if (!row.queue.empty()) json.text("qgroup", row.queue);
  json.text("sid", row.sid);
  json.number("msgs", row.msgs);
  if (row.max != 0) json.number("max", row.max);
  json.number("cid", row.cid);
  json.close_object();
}

namespace {

void write_subscriptions(JsonWriter& json, const ConnectionRow& row, SubscriptionStyle style) {
  if (row.subscriptions.empty() || style == SubscriptionStyle::none) return;
  const bool details = style == SubscriptionStyle::details;
  json.open_array(details ? "subscriptions_list_detail" : "subscriptions_list");
  for (const SubscriptionRow& subscription : row.subscriptions) {
    if (details) {
      // nats-server names the account of a subscription only when its connection is closed.
      write_subscription(json, subscription, row.stop_wall_ns != 0);
    } else {
      json.text(subscription.subject);
    }
  }
  json.close_array();
}

}  // namespace

void write_connection(JsonWriter& json, const ConnectionRow& row, int64_t now_wall_ns,
                      const ConnectionStyle& style) {
  const int64_t until_ns = row.stop_wall_ns != 0 ? row.stop_wall_ns : now_wall_ns;
  json.open_object();
  json.number("cid", row.cid);
  json.text("kind", "Client");
  json.text("type", "nats");
  json.text("ip", row.ip);
  json.number("port", row.port);
  json.text("start", format_wall_time(row.start_wall_ns));
  json.text("last_activity", format_wall_time(row.last_activity_wall_ns));
  if (row.stop_wall_ns != 0) {
    json.text("stop", format_wall_time(row.stop_wall_ns));
    json.text("reason", broker::close_reason_text(row.reason));
  }
  json.text("rtt", format_rtt(row.rtt_ns));
  json.text("uptime", format_uptime(until_ns - row.start_wall_ns));
  json.text("idle", format_uptime(until_ns - row.last_activity_wall_ns));
  json.number("pending_bytes", row.pending_bytes);
  json.number("in_msgs", row.moved.in_msgs);
  json.number("out_msgs", row.moved.out_msgs);
  json.number("in_bytes", row.moved.in_bytes);
  json.number("out_bytes", row.moved.out_bytes);
  if (row.moved.stalls != 0) json.number("stalls", row.moved.stalls);
  json.number("subscriptions", row.subscription_count);
  if (!row.name.empty()) json.text("name", row.name);
  if (!row.language.empty()) json.text("lang", row.language);
  if (!row.version.empty()) json.text("version", row.version);
  if (style.with_auth) {
    if (!row.user.empty()) json.text("authorized_user", row.user);
    if (row.account != "$G") json.text("account", row.account);
  }
  write_subscriptions(json, row, style.subscriptions);
  if (style.with_auth && row.stop_wall_ns == 0) json.text("name_tag", row.account);
  json.close_object();
}

}  // namespace martlet::server
