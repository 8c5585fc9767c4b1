// SPDX-License-Identifier: Apache-2.0
//
// Goal: the pages come over HTTP and from the object as tools for NATS expect, refuse in its words,
// and never show a secret. Method: servers with raw clients; answers that nats-server gave.
#include "server/monitoring.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "monitoring_fixture.hpp"

namespace martlet::server {
namespace {

TEST_F(MonitoringTest, pages_come_over_http_with_the_headers_of_nats_server) {
  options_.http_port = -1;
  start();
  const std::string varz = http_get(server_->monitoring_port(), "/varz");
  EXPECT_TRUE(has(varz,
                  "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Type: "
                  "application/json\r\nDate: "));
  EXPECT_TRUE(
      has(varz, "\r\n\r\n{\n  \"server_id\": \"" + server_->id() + "\",\n  \"server_name\": \""));
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

TEST_F(MonitoringTest, bad_parameters_are_refused_in_the_words_of_nats_server) {
  start();
  const std::pair<const char*, const char*> cases[] = {
      {"/connz?sort=foo", "invalid sorting option: foo"},
      {"/connz?sort=stop", "sort by stop only valid on closed connections"},
      {"/connz?sort=reason&state=all", "sort by reason only valid on closed connections"},
      {"/connz?limit=x",
       "Error decoding int for 'limit': strconv.Atoi: parsing \"x\": invalid syntax"},
      {"/connz?cid=-1",
       "Error decoding uint64 for 'cid': strconv.ParseUint: parsing \"-1\": invalid syntax"},
      {"/connz?subs=x",
       "Error decoding boolean for 'subs': strconv.ParseBool: parsing \"x\": invalid syntax"},
      {"/connz?state=bad", "Error decoding state for bad"},
      {"/subsz?test=a..b", "invalid test subject, must be valid publish subject: a..b"},
      {"/subsz?offset=1.5",
       "Error decoding int for 'offset': strconv.Atoi: parsing \"1.5\": invalid syntax"},
      {"/healthz?details=zz",
       "Error decoding boolean for 'details': strconv.ParseBool: parsing \"zz\": invalid syntax"},
  };
  for (const auto& [target, text] : cases) EXPECT_EQ(page(*server_, target, 400), text);
  EXPECT_EQ(page(*server_, "/healthz?stream=s", 400),
            "{\"status\":\"error\",\"error\":\"\\\"account\\\" must not be empty when checking "
            "stream health\"}");
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
  for (const char* target :
       {"/varz", "/connz?auth=1&subs=detail", "/connz?auth=1&state=all", "/subsz?subs=1", "/"}) {
    all += page(*server_, target);
  }
  EXPECT_TRUE(has(all, "\"authorized_user\": \"alice\""));
  EXPECT_TRUE(has(all, "\"auth_required\": true"));
  EXPECT_FALSE(has(all, "hidden-password"));
  EXPECT_EQ(names(read_page(*server_, "/connz?user=alice")), "n ");
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
