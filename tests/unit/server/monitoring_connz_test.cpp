// SPDX-License-Identifier: Apache-2.0
//
// Goal: /connz tells of open and closed connections what nats-server tells, filtered, sorted and
// paged over all loops. Method: clients with known differences.
#include "server/monitoring_connz.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "monitoring_fixture.hpp"

namespace martlet::server {
namespace {

TEST_F(MonitoringTest, a_connection_is_told_with_all_that_is_known) {
  start();
  TestClient& a = client("n<1>");
  a.send("SUB foo 1\r\nSUB bar q 2\r\nUNSUB 2 9\r\nPUB foo 5\r\nhello\r\n");
  a.sync();
  const std::string body = page(*server_, "/connz?subs=detail&auth=1");
  EXPECT_TRUE(
      has(body,
          "  \"num_connections\": 1,\n  \"total\": 1,\n  \"offset\": 0,\n  \"limit\": 1024,\n"
          "  \"connections\": [\n    {\n      \"cid\": 1,\n      \"kind\": \"Client\",\n"
          "      \"type\": \"nats\",\n      \"ip\": \"127.0.0.1\",\n      \"port\": "))
      << body;
  EXPECT_TRUE(has(body, "      \"rtt\": \""));
  EXPECT_TRUE(
      has(body,
          "      \"uptime\": \"0s\",\n      \"idle\": \"0s\",\n      \"pending_bytes\": 0,\n"
          "      \"in_msgs\": 1,\n      \"out_msgs\": 1,\n      \"in_bytes\": 5,\n      "
          "\"out_bytes\": 5,\n"
          "      \"subscriptions\": 2,\n      \"name\": \"n\\u003c1\\u003e\",\n"));
  EXPECT_TRUE(has(body,
                  "        {\n          \"subject\": \"foo\",\n          \"sid\": \"1\",\n         "
                  " \"msgs\": 1,\n"
                  "          \"cid\": 1\n        }"));
  EXPECT_TRUE(has(
      body,
      "          \"subject\": \"bar\",\n          \"qgroup\": \"q\",\n          \"sid\": \"2\",\n"
      "          \"msgs\": 0,\n          \"max\": 9,\n          \"cid\": 1\n"));
  EXPECT_TRUE(has(body, "      \"name_tag\": \"$G\"\n    }\n  ]\n}"));
  EXPECT_FALSE(has(body, "\"reason\""));
  EXPECT_FALSE(has(page(*server_, "/connz"), "subscriptions_list"));
  EXPECT_TRUE(has(page(*server_, "/connz?subs=1"), "\"subscriptions_list\": [\n        \""));
}

TEST_F(MonitoringTest, a_client_in_the_process_has_no_address) {
  start();
  const auto inside = TestClient::in_process(*server_->connector());
  inside->connect();
  EXPECT_TRUE(has(page(*server_, "/connz"), "      \"ip\": \"\",\n      \"port\": 0,\n"));
}

TEST_F(MonitoringTest, connections_are_paged_sorted_and_filtered_over_all_loops) {
  start(3);
  TestClient& a = client("a");
  TestClient& b = client("b");
  TestClient& c = client("c");
  b.send("SUB x 1\r\nSUB y 2\r\n");
  c.send("PUB none 10\r\n0123456789\r\nPUB none 1\r\nx\r\n");
  a.send("PUB none 50\r\n" + std::string(50, 'a') + "\r\n");
  for (TestClient* client : {&a, &b, &c}) client->sync();
  const auto listed = [this](const std::string& query) {
    return names(read_page(*server_, "/connz?" + query));
  };
  EXPECT_EQ(listed(""), "a b c ");
  EXPECT_EQ(listed("limit=1&offset=1"), "b ");
  EXPECT_EQ(listed("offset=2&limit=-1"), "c ");
  EXPECT_EQ(listed("offset=9"), "");
  EXPECT_EQ(listed("sort=subs"), "b a c ");
  EXPECT_EQ(listed("sort=msgs_from"), "c a b ");
  EXPECT_EQ(listed("sort=bytes_from"), "a c b ");
  EXPECT_EQ(listed("sort=start"), "a b c ");
  EXPECT_EQ(listed("sort=uptime&limit=3"), "c b a ");
  EXPECT_EQ(listed("cid=2&state=all"), "b ");
  EXPECT_EQ(listed("cid=77"), "");
  EXPECT_EQ(listed("acc=$G"), "a b c ");
  EXPECT_EQ(listed("user=nobody"), "");
  const json::value second = read_page(*server_, "/connz?limit=1&offset=1");
  EXPECT_EQ(second.at("total").as_int64(), 3);
  EXPECT_EQ(second.at("num_connections").as_int64(), 1);
  EXPECT_TRUE(read_page(*server_, "/connz?acc=NOPE").at("connections").is_null());
}

TEST_F(MonitoringTest, closed_connections_are_remembered_with_their_reason) {
  options_.max_closed_clients = 2;
  start(2);
  for (const char* name : {"old", "polite", "rude"}) {
    TestClient& one = client(name);
    one.send("SUB foo 7\r\n");
    one.sync();
    if (std::string(name) == "rude") {
      one.send("NONSENSE\r\n");
      one.read_until_closed();
    } else {
      clients_.pop_back();
      const int64_t deadline_ns = io::SystemClock().monotonic_ns() + patience_ns;
      while (server_->statistics().connections > 0)
        ASSERT_LT(io::SystemClock().monotonic_ns(), deadline_ns);
    }
  }
  const std::string body = page(*server_, "/connz?state=closed&subs=detail");
  const json::value closed = read(body);
  EXPECT_EQ(names(closed), "polite rude ");
  EXPECT_EQ(closed.at("connections").at(0).at("reason").as_string(), "Client Closed");
  EXPECT_EQ(closed.at("connections").at(1).at("reason").as_string(), "Protocol Violation");
  EXPECT_EQ(closed.at("connections").at(1).at("subscriptions").as_int64(), 1);
  EXPECT_TRUE(has(body,
                  "          \"account\": \"$G\",\n          \"account_tag\": \"$G\",\n          "
                  "\"subject\": \"foo\","));
  EXPECT_EQ(names(read_page(*server_, "/connz?state=closed&sort=reason")), "polite rude ");
  EXPECT_EQ(names(read_page(*server_, "/connz?state=closed&sort=stop")), "rude polite ");
  client("open");
  EXPECT_EQ(names(read_page(*server_, "/connz?state=ANY")), "polite rude open ");
  EXPECT_EQ(names(read_page(*server_, "/connz")), "open ");
}

TEST_F(MonitoringTest, a_token_is_hidden_and_its_user_has_no_name) {
  options_.auth.token = "hidden-token";
  start();
  clients_.push_back(TestClient::tcp(server_->client_port()));
  clients_.back()->connect(",\"auth_token\":\"hidden-token\"");
  const std::string body = page(*server_, "/connz?auth=1");
  EXPECT_TRUE(has(body, "\"authorized_user\": \"[REDACTED]\""));
  EXPECT_FALSE(has(body, "hidden-token"));
}

TEST_F(MonitoringTest, thousands_of_subscriptions_are_told_whole_and_the_loop_goes_on_in_between) {
  start();
  TestClient& many = client("many");
  TestClient& other = client("other");
  std::string subs;
  for (int i = 0; i < 20'000; i++)
    subs += "SUB s." + std::to_string(i) + " " + std::to_string(i) + "\r\n";
  many.send(subs);
  many.sync();
  std::string body;
  std::thread asking([&] { body = page(*server_, "/connz?subs=1"); });
  for (int i = 0; i < 50; i++) other.sync();
  asking.join();
  EXPECT_EQ(read(body).at("connections").at(0).at("subscriptions_list").as_array().size(), 20'000U);
  EXPECT_EQ(read_page(*server_, "/subsz?subs=1&offset=19990&limit=100")
                .at("subscriptions_list")
                .as_array()
                .size(),
            10U);
}

}  // namespace
}  // namespace martlet::server
