// SPDX-License-Identifier: Apache-2.0
//
// Goal: the monitoring pages look as tools for NATS expect, tell the truth, stay quick with very many connections and never
// show a secret. Method: servers with raw clients; pages over HTTP and from the object; values that pages of nats-server had.
#include "server/monitoring.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <thread>

#include "base/json.hpp"
#include "test_client.hpp"

namespace martlet::server {
namespace {

std::string page(const Server& server, const std::string& target, int status_expected = 200) {
  int status = 0;
  std::string body = server.monitoring_page(target, status);
  EXPECT_EQ(status, status_expected) << target << ": " << body;
  return body;
}

json::value read(const std::string& body) {
  boost::system::error_code error;
  json::value value = json::parse(body, error);
  EXPECT_FALSE(error) << body;
  return value;
}

json::value read_page(const Server& server, const std::string& target) { return read(page(server, target)); }

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// The names of the connections on a page, in their order.
std::string names(const json::value& connz) {
  std::string all;
  for (const json::value& connection : connz.at("connections").as_array()) {
    all += std::string(connection.at("name").as_string()) + " ";
  }
  return all;
}

class MonitoringTest : public testing::Test {
 protected:
  void start(int32_t loops = 1) {
    options_.loops = loops;
    server_ = start_server(options_);
  }
  TestClient& client(const std::string& name) {
    clients_.push_back(TestClient::tcp(server_->client_port()));
    clients_.back()->connect(",\"name\":\"" + name + "\"");
    return *clients_.back();
  }
  Options options_ = local_options();
  std::unique_ptr<Server> server_;
  std::vector<std::unique_ptr<TestClient>> clients_;
};

TEST_F(MonitoringTest, pages_come_over_http_with_the_headers_of_nats_server) {
  options_.http_port = -1;
  start();
  const std::string varz = http_get(server_->monitoring_port(), "/varz");
  EXPECT_TRUE(has(varz, "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Type: application/json\r\nDate: "));
  EXPECT_TRUE(has(varz, "\r\n\r\n{\n  \"server_id\": \"" + server_->id() + "\",\n  \"server_name\": \""));
  EXPECT_TRUE(has(varz, "\n}"));
  const std::string health = http_get(server_->monitoring_port(), "/healthz");
  EXPECT_TRUE(has(health, "Content-Length: 15\r\n")) << health;
  EXPECT_TRUE(has(health, "\r\n\r\n{\"status\":\"ok\"}"));
  const std::string root = http_get(server_->monitoring_port(), "/");
  EXPECT_TRUE(has(root, "Content-Type: text/html; charset=utf-8\r\n"));
  EXPECT_TRUE(has(root, "href=\"/connz\""));
  const std::string missing = http_get(server_->monitoring_port(), "/nope");
  EXPECT_TRUE(has(missing, "HTTP/1.1 404 Not Found\r\nX-Content-Type-Options: nosniff\r\n"));
  EXPECT_TRUE(has(missing, "\r\n\r\n404 page not found\n"));
}

TEST_F(MonitoringTest, without_a_monitoring_port_nothing_listens_and_the_object_still_tells) {
  start();
  EXPECT_EQ(server_->monitoring_port(), 0);
  EXPECT_EQ(read_page(*server_, "/varz").at("http_port").as_int64(), 0);
}

TEST_F(MonitoringTest, nothing_is_told_when_the_server_does_not_run) {
  start();
  ASSERT_TRUE(server_->stop().is_ok());
  EXPECT_EQ(page(*server_, "/varz", 503), "the server does not run\n");
}

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
  EXPECT_TRUE(has(body, "  \"server_name\": \"a\\u003cb\\u003e\",\n  \"version\": \"2.15.2\",\n  \"proto\": 1,\n"));
  EXPECT_TRUE(has(body, "  \"cluster\": {},\n  \"gateway\": {},\n  \"leaf\": {},\n"));
  size_t at = 0;
  for (const char* key :
       {"server_id", "host", "port", "max_connections", "ping_interval", "http_port", "auth_timeout", "max_control_line",
        "max_payload", "max_pending", "cluster", "jetstream", "tls_timeout", "write_deadline", "start", "now", "uptime",
        "mem", "cores", "gomaxprocs", "cpu", "connections", "total_connections", "routes", "in_msgs", "in_bytes",
        "out_msgs", "out_bytes", "slow_consumers", "stale_connections", "stalled_clients", "subscriptions",
        "http_req_stats", "config_load_time", "config_digest", "tags", "metadata", "slow_consumer_stats",
        "stale_connection_stats", "disk_io_wait_stats", "martlet_version", "martlet"}) {
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

TEST_F(MonitoringTest, a_connection_is_told_with_all_that_is_known) {
  start();
  TestClient& a = client("n<1>");
  a.send("SUB foo 1\r\nSUB bar q 2\r\nUNSUB 2 9\r\nPUB foo 5\r\nhello\r\n");
  a.sync();
  const std::string body = page(*server_, "/connz?subs=detail&auth=1");
  EXPECT_TRUE(has(body, "  \"num_connections\": 1,\n  \"total\": 1,\n  \"offset\": 0,\n  \"limit\": 1024,\n"
                        "  \"connections\": [\n    {\n      \"cid\": 1,\n      \"kind\": \"Client\",\n"
                        "      \"type\": \"nats\",\n      \"ip\": \"127.0.0.1\",\n      \"port\": "))
      << body;
  EXPECT_TRUE(has(body, "      \"rtt\": \""));
  EXPECT_TRUE(has(body, "      \"uptime\": \"0s\",\n      \"idle\": \"0s\",\n      \"pending_bytes\": 0,\n"
                        "      \"in_msgs\": 1,\n      \"out_msgs\": 1,\n      \"in_bytes\": 5,\n      \"out_bytes\": 5,\n"
                        "      \"subscriptions\": 2,\n      \"name\": \"n\\u003c1\\u003e\",\n"));
  EXPECT_TRUE(has(body, "        {\n          \"subject\": \"foo\",\n          \"sid\": \"1\",\n          \"msgs\": 1,\n"
                        "          \"cid\": 1\n        }"));
  EXPECT_TRUE(has(body, "          \"subject\": \"bar\",\n          \"qgroup\": \"q\",\n          \"sid\": \"2\",\n"
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
  const auto listed = [this](const std::string& query) { return names(read_page(*server_, "/connz?" + query)); };
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

TEST_F(MonitoringTest, bad_parameters_are_refused_in_the_words_of_nats_server) {
  start();
  const std::pair<const char*, const char*> cases[] = {
      {"/connz?sort=foo", "invalid sorting option: foo"},
      {"/connz?sort=stop", "sort by stop only valid on closed connections"},
      {"/connz?sort=reason&state=all", "sort by reason only valid on closed connections"},
      {"/connz?limit=x", "Error decoding int for 'limit': strconv.Atoi: parsing \"x\": invalid syntax"},
      {"/connz?cid=-1", "Error decoding uint64 for 'cid': strconv.ParseUint: parsing \"-1\": invalid syntax"},
      {"/connz?subs=x", "Error decoding boolean for 'subs': strconv.ParseBool: parsing \"x\": invalid syntax"},
      {"/connz?state=bad", "Error decoding state for bad"},
      {"/subsz?test=a..b", "invalid test subject, must be valid publish subject: a..b"},
      {"/subsz?offset=1.5", "Error decoding int for 'offset': strconv.Atoi: parsing \"1.5\": invalid syntax"},
      {"/healthz?details=zz", "Error decoding boolean for 'details': strconv.ParseBool: parsing \"zz\": invalid syntax"},
  };
  for (const auto& [target, text] : cases) EXPECT_EQ(page(*server_, target, 400), text);
  EXPECT_EQ(page(*server_, "/healthz?stream=s", 400),
            "{\"status\":\"error\",\"error\":\"\\\"account\\\" must not be empty when checking stream health\"}");
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
      while (server_->statistics().connections > 0) ASSERT_LT(io::SystemClock().monotonic_ns(), deadline_ns);
    }
  }
  const std::string body = page(*server_, "/connz?state=closed&subs=detail");
  const json::value closed = read(body);
  EXPECT_EQ(names(closed), "polite rude ");
  EXPECT_EQ(closed.at("connections").at(0).at("reason").as_string(), "Client Closed");
  EXPECT_EQ(closed.at("connections").at(1).at("reason").as_string(), "Protocol Violation");
  EXPECT_EQ(closed.at("connections").at(1).at("subscriptions").as_int64(), 1);
  EXPECT_TRUE(has(body, "          \"account\": \"$G\",\n          \"account_tag\": \"$G\",\n          \"subject\": \"foo\","));
  EXPECT_EQ(names(read_page(*server_, "/connz?state=closed&sort=reason")), "polite rude ");
  EXPECT_EQ(names(read_page(*server_, "/connz?state=closed&sort=stop")), "rude polite ");
  client("open");
  EXPECT_EQ(names(read_page(*server_, "/connz?state=ANY")), "polite rude open ");
  EXPECT_EQ(names(read_page(*server_, "/connz")), "open ");
}

TEST_F(MonitoringTest, subscriptions_are_counted_and_listed) {
  start(2);
  TestClient& a = client("a");
  TestClient& b = client("b");
  a.send("SUB foo.* 1\r\nSUB foo.> 2\r\nSUB other 3\r\n");
  b.send("SUB foo.a g 1\r\n");
  for (TestClient* client : {&a, &b}) client->sync();
  for (int i = 0; i < 3; i++) a.send("PUB foo.a 1\r\nx\r\n");
  a.sync();
  a.send("UNSUB 3\r\n");
  a.sync();
  const json::value counted = read_page(*server_, "/subsz");
  EXPECT_EQ(counted.at("num_subscriptions").as_int64(), 3);
  EXPECT_EQ(counted.at("num_inserts").as_int64(), 4);
  EXPECT_EQ(counted.at("num_removes").as_int64(), 1);
  EXPECT_EQ(counted.at("num_matches").as_int64(), 3);
  EXPECT_EQ(counted.at("num_cache").as_int64(), 1);
  EXPECT_EQ(counted.at("max_fanout").as_int64(), 3);
  EXPECT_EQ(counted.at("total").as_int64(), 0);
  EXPECT_EQ(counted.as_object().count("subscriptions_list"), 0U);
  const json::value listed = read_page(*server_, "/subscriptionsz?subs=1&test=foo.a");
  EXPECT_EQ(listed.at("total").as_int64(), 3);
  EXPECT_EQ(listed.at("subscriptions_list").as_array().size(), 3U);
  EXPECT_EQ(read_page(*server_, "/subsz?subs=1&test=foo.a.b").at("total").as_int64(), 1);
  EXPECT_EQ(read_page(*server_, "/subsz?acc=NOPE&subs=1").at("total").as_int64(), 0);
  // Each subscription is on exactly one page.
  std::string seen;
  for (int i = 0; i < 3; i++) {
    const json::value part = read_page(*server_, "/subsz?subs=1&limit=1&offset=" + std::to_string(i));
    ASSERT_EQ(part.at("subscriptions_list").as_array().size(), 1U);
    EXPECT_EQ(part.at("total").as_int64(), 3);
    seen += std::string(part.at("subscriptions_list").at(0).at("subject").as_string()) + " ";
  }
  for (const char* subject : {"foo.* ", "foo.> ", "foo.a "}) EXPECT_TRUE(has(seen, subject)) << seen;
}

TEST_F(MonitoringTest, every_page_moves_under_the_base_path) {
  options_.http_base_path = "nats/";
  start();
  page(*server_, "/varz", 404);
  page(*server_, "/natsvarz", 404);
  EXPECT_TRUE(has(page(*server_, "/nats/varz"), "\"http_base_path\": \"nats/\""));
  EXPECT_TRUE(has(page(*server_, "/nats"), "href=\"/nats/varz\""));
}

TEST_F(MonitoringTest, secrets_never_appear) {
  options_.auth.user = "alice";
  options_.auth.password = "hidden-password";
  start();
  clients_.push_back(TestClient::tcp(server_->client_port()));
  clients_.back()->connect(",\"user\":\"alice\",\"pass\":\"hidden-password\",\"name\":\"n\"");
  std::string all;
  for (const char* target : {"/varz", "/connz?auth=1&subs=detail", "/connz?auth=1&state=all", "/subsz?subs=1", "/"}) {
    all += page(*server_, target);
  }
  EXPECT_TRUE(has(all, "\"authorized_user\": \"alice\""));
  EXPECT_TRUE(has(all, "\"auth_required\": true"));
  EXPECT_FALSE(has(all, "hidden-password"));
  EXPECT_EQ(names(read_page(*server_, "/connz?user=alice")), "n ");
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
  for (int i = 0; i < 20'000; i++) subs += "SUB s." + std::to_string(i) + " " + std::to_string(i) + "\r\n";
  many.send(subs);
  many.sync();
  std::string body;
  std::thread asking([&] { body = page(*server_, "/connz?subs=1"); });
  for (int i = 0; i < 50; i++) other.sync();
  asking.join();
  EXPECT_EQ(read(body).at("connections").at(0).at("subscriptions_list").as_array().size(), 20'000U);
  EXPECT_EQ(read_page(*server_, "/subsz?subs=1&offset=19990&limit=100").at("subscriptions_list").as_array().size(), 10U);
}

TEST_F(MonitoringTest, pages_and_statistics_while_connections_come_and_go_and_the_server_stops) {
  start(2);
  std::thread asking([this] {
    int status = 0;
    while (status != 503) {
      for (const char* target : {"/connz?subs=1&state=all", "/varz", "/subsz?subs=1"}) {
        (void)server_->monitoring_page(target, status);
        EXPECT_TRUE(status == 200 || status == 503);
      }
    }
  });
  for (int i = 0; i < 300; i++) {
    client("c").send("SUB a 1\r\nSUB b 2\r\n");
    if (i % 3 == 0) clients_.erase(clients_.begin());
  }
  ASSERT_TRUE(server_->stop().is_ok());
  asking.join();
}

}  // namespace
}  // namespace martlet::server
