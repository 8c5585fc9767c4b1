// SPDX-License-Identifier: Apache-2.0
//
// Owns what the tests of the monitoring pages share: a server, named clients, and pages read as
// JSON.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "test_client.hpp"

namespace martlet::server {

inline std::string page(const Server& server, const std::string& target,
                        int status_expected = 200) {
  int status = 0;
  std::string body = server.monitoring_page(target, status);
  EXPECT_EQ(status, status_expected) << target << ": " << body;
  return body;
}

inline json::value read(const std::string& body) {
  boost::system::error_code error;
  json::value value = json::parse(body, error);
  EXPECT_FALSE(error) << body;
  return value;
}

inline json::value read_page(const Server& server, const std::string& target) {
  return read(page(server, target));
}

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The names of the connections on a page, in their order.
inline std::string names(const json::value& connz) {
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

}  // namespace martlet::server
