// SPDX-License-Identifier: Apache-2.0
//
// Goal: /varz has its keys in the order of nats-server and tells the truth. Method: a server with
// known options and traffic.
#include "server/monitoring_varz.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <string>

#include "monitoring_fixture.hpp"

namespace martlet::server {
namespace {

/// Of nats-server's those that exist so far, then ours.
constexpr const char* keys_in_order[] = {"server_id",
                                         "host",
                                         "port",
                                         "max_connections",
                                         "ping_interval",
                                         "http_port",
                                         "auth_timeout",
                                         "max_control_line",
                                         "max_payload",
                                         "max_pending",
                                         "cluster",
                                         "jetstream",
                                         "tls_timeout",
                                         "write_deadline",
                                         "start",
                                         "now",
                                         "uptime",
                                         "mem",
                                         "cores",
                                         "gomaxprocs",
                                         "cpu",
                                         "connections",
                                         "total_connections",
                                         "routes",
                                         "in_msgs",
                                         "in_bytes",
                                         "out_msgs",
                                         "out_bytes",
                                         "slow_consumers",
                                         "stale_connections",
                                         "stalled_clients",
                                         "subscriptions",
                                         "http_req_stats",
                                         "config_load_time",
                                         "config_digest",
                                         "tags",
                                         "metadata",
                                         "slow_consumer_stats",
                                         "stale_connection_stats",
                                         "disk_io_wait_stats",
                                         "martlet_version",
                                         "martlet"};

TEST_F(MonitoringTest, varz_has_the_keys_in_order_and_the_numbers) {
  options_.server_name = "a<b>";
  options_.config_digest = "sha256:0123";
  options_.max_memory = 123'000'000;
  options_.server_tags = {"x"};
  options_.server_metadata = {{"k", "v"}};
  start(2);
  TestClient& a = client("a");
  a.send("SUB foo 1\r\nPUB foo 5\r\nhello\r\nPUB none 2\r\nhi\r\n");
  a.sync();
  const std::string body = page(*server_, "/varz");
  EXPECT_TRUE(has(
      body,
      "  \"server_name\": \"a\\u003cb\\u003e\",\n  \"version\": \"2.15.2\",\n  \"proto\": 1,\n"));
  EXPECT_TRUE(has(body, "  \"cluster\": {},\n  \"gateway\": {},\n  \"leaf\": {},\n"));
  size_t at = 0;
  for (const char* key : keys_in_order) {
    const size_t found = body.find("\n  \"" + std::string(key) + "\": ");
    ASSERT_NE(found, std::string::npos) << key;
    EXPECT_GT(found, at) << key;
    at = found;
  }
  const json::value varz = read(body);
  EXPECT_EQ(varz.at("in_msgs").as_int64(), 2);
  EXPECT_EQ(varz.at("in_bytes").as_int64(), 7);
  EXPECT_EQ(varz.at("out_msgs").as_int64(), 1);
  EXPECT_EQ(varz.at("connections").as_int64(), 1);
  EXPECT_EQ(varz.at("subscriptions").as_int64(), 1);
  EXPECT_EQ(varz.at("auth_timeout").as_int64(), 2);
  EXPECT_GT(varz.at("mem").as_int64(), 0);
  EXPECT_EQ(varz.at("config_digest").as_string(), "sha256:0123");
  EXPECT_EQ(varz.at("martlet").at("loops").as_int64(), 2);
  EXPECT_EQ(varz.at("martlet").at("max_memory").as_int64(), 123'000'000);
  EXPECT_GT(varz.at("martlet").at("accounted_bytes").as_int64(), 0);
  EXPECT_EQ(varz.at("http_req_stats").at("/varz").as_int64(), 1);
  const std::regex time("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?Z");
  EXPECT_TRUE(std::regex_match(std::string(varz.at("start").as_string()), time));
}

std::string shown_digest(Options options) {
  const std::unique_ptr<Server> server = start_server(std::move(options));
  return std::string(read_page(*server, "/varz").at("martlet").at("options_digest").as_string());
}

TEST_F(MonitoringTest, varz_tells_servers_of_the_same_options_from_others) {
  const std::string digest = shown_digest(options_);
  EXPECT_EQ(digest.rfind("sha256:", 0), 0U) << digest;
  EXPECT_EQ(shown_digest(options_), digest) << "another id, another port, another start";
  Options other = options_;
  other.max_payload -= 1;
  EXPECT_NE(shown_digest(other), digest);
}

}  // namespace
}  // namespace martlet::server
