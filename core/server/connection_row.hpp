// SPDX-License-Identifier: Apache-2.0
//
// Owns what the monitoring pages tell of one connection, as a value apart from it, and the writing
// of it. Holds no secret: passwords and tokens are not in it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json_writer.hpp"
#include "broker/session.hpp"
#include "net/connection.hpp"

namespace martlet::server {

struct SubscriptionRow {
  std::string account;
  std::string subject;
  std::string queue;
  std::string sid;
  int64_t msgs = 0;
  int64_t max = 0;  // 0: no end.
  uint64_t cid = 0;
};

struct ConnectionRow {
  uint64_t cid = 0;
  std::string ip;  // Empty, with port 0: a client in this process.
  uint16_t port = 0;
  int64_t start_wall_ns = 0;
  int64_t last_activity_wall_ns = 0;
  int64_t stop_wall_ns = 0;  // 0: it is open.
  broker::CloseReason reason = broker::CloseReason::none;
  int64_t rtt_ns = 0;
  uint64_t pending_bytes = 0;
  broker::SessionStatistics moved;
  uint64_t subscription_count = 0;
  std::string name;
  std::string language;
  std::string version;
  std::string user;
  std::string account;
  std::vector<SubscriptionRow> subscriptions;  // As far as they were asked for.

  /// Memory that it takes, about.
  size_t bytes() const;
};

struct Now {
  int64_t wall_ns = 0;
  int64_t monotonic_ns = 0;
};

/// On the connection's loop, as the next. Without the subscriptions themselves.
ConnectionRow read_connection(const net::Connection& connection, const Now& now);
SubscriptionRow read_subscription(const broker::Session& session,
                                  const broker::Subscription& subscription);

enum class SubscriptionStyle : uint8_t { none, subjects, details };

struct ConnectionStyle {
  bool with_auth = false;
  SubscriptionStyle subscriptions = SubscriptionStyle::none;
};

/// One element of /connz.
void write_connection(JsonWriter& json, const ConnectionRow& row, int64_t now_wall_ns,
                      const ConnectionStyle& style);
/// One element of a list of subscriptions.
void write_subscription(JsonWriter& json, const SubscriptionRow& row, bool with_account);

}  // namespace martlet::server
