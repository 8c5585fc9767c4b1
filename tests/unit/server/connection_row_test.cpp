// SPDX-License-Identifier: Apache-2.0
//
// Goal: one connection is written with the keys of nats-server, those without a value left out.
// Method: rows made by hand, whole texts.
#include "server/connection_row.hpp"

#include <gtest/gtest.h>

namespace martlet::server {
namespace {

constexpr int64_t s = 1'000'000'000;
constexpr int64_t start_ns = 1'795'507'334 * s;  // 2026-11-24T08:02:14Z

std::string text_of(const ConnectionRow& row, const ConnectionStyle& style) {
  JsonWriter json(JsonWriter::Style::compact);
  write_connection(json, row, start_ns + 90 * s, style);
  return json.take();
}

ConnectionRow open_row() {
  ConnectionRow row;
  row.cid = 7;
  row.ip = "::1";
  row.port = 5000;
  row.start_wall_ns = start_ns;
  row.last_activity_wall_ns = start_ns + 60 * s;
  row.rtt_ns = 1'500'000;
  row.pending_bytes = 11;
  row.moved = {1, 2, 3, 4, 0};
  row.subscription_count = 1;
  row.account = "$G";
  return row;
}

TEST(ConnectionRow, an_open_connection_without_words_of_its_own) {
  EXPECT_EQ(text_of(open_row(), {}),
            "{\"cid\":7,\"kind\":\"Client\",\"type\":\"nats\",\"ip\":\"::1\",\"port\":5000,"
            "\"start\":\"2026-11-24T08:02:14Z\",\"last_activity\":\"2026-11-24T08:03:14Z\",\"rtt\":"
            "\"1.5ms\","
            "\"uptime\":\"1m30s\",\"idle\":\"30s\",\"pending_bytes\":11,\"in_msgs\":1,\"out_msgs\":"
            "3,\"in_bytes\":2,"
            "\"out_bytes\":4,\"subscriptions\":1}");
}

TEST(ConnectionRow, names_stalls_and_who_it_is_where_there_are_any) {
  ConnectionRow row = open_row();
  row.moved.stalls = 5;
  row.name = "n";
  row.language = "l";
  row.version = "v";
  row.user = "u";
  row.account = "A";
  row.subscriptions.push_back({"A", "foo", "", "1", 0, 0, 7});
  ConnectionStyle style;
  style.with_auth = true;
  style.subscriptions = SubscriptionStyle::subjects;
  const std::string text = text_of(row, style);
  EXPECT_NE(text.find("\"out_bytes\":4,\"stalls\":5,\"subscriptions\":1,\"name\":\"n\",\"lang\":"
                      "\"l\",\"version\":\"v\","
                      "\"authorized_user\":\"u\",\"account\":\"A\",\"subscriptions_list\":[\"foo\"]"
                      ",\"name_tag\":\"A\"}"),
            std::string::npos)
      << text;
  EXPECT_EQ(text_of(row, {}).find("authorized_user"), std::string::npos);
  EXPECT_EQ(text_of(row, {}).find("subscriptions_list"), std::string::npos);
}

TEST(ConnectionRow, a_closed_connection_has_stop_and_reason_and_stands_still) {
  ConnectionRow row = open_row();
  row.stop_wall_ns = start_ns + 61 * s;
  row.reason = broker::CloseReason::stale_connection;
  row.subscriptions.push_back({"$G", "foo", "q", "1", 8, 9, 7});
  ConnectionStyle style;
  style.subscriptions = SubscriptionStyle::details;
  const std::string text = text_of(row, style);
  EXPECT_NE(
      text.find(
          "\"stop\":\"2026-11-24T08:03:15Z\",\"reason\":\"Stale Connection\",\"rtt\":\"1.5ms\","
          "\"uptime\":\"1m1s\",\"idle\":\"1s\""),
      std::string::npos)
      << text;
  EXPECT_NE(text.find("\"subscriptions_list_detail\":[{\"account\":\"$G\",\"account_tag\":\"$G\","
                      "\"subject\":\"foo\","
                      "\"qgroup\":\"q\",\"sid\":\"1\",\"msgs\":8,\"max\":9,\"cid\":7}]}"),
            std::string::npos)
      << text;
}

TEST(ConnectionRow, its_bytes_grow_with_what_it_holds) {
  ConnectionRow row = open_row();
  const size_t before = row.bytes();
  row.name = std::string(1000, 'n');
  row.subscriptions.push_back({"$G", std::string(500, 's'), "", "1", 0, 0, 7});
  EXPECT_GE(row.bytes(), before + 1500);
}

}  // namespace
}  // namespace martlet::server
