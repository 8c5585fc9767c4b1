// SPDX-License-Identifier: Apache-2.0
//
// Goal: INFO is written as clients expect it. Method: a fixed text, and the escapes.
#include "protocol/server_info.hpp"

#include <gtest/gtest.h>

namespace martlet::protocol {
namespace {

TEST(ServerInfo, is_written_in_the_order_of_nats_server) {
  ServerInfo info;
  info.server_id = "N";
  info.server_name = "a<b";
  info.host = "0.0.0.0";
  info.port = 4222;
  info.client_id = 5;
  info.client_ip = "127.0.0.1";
  EXPECT_EQ(
      encode_info(info),
      "INFO "
      "{\"server_id\":\"N\",\"server_name\":\"a\\u003cb\",\"version\":\"2.15.2\",\"proto\":1,"
      "\"go\":\"\","
      "\"host\":\"0.0.0.0\",\"port\":4222,\"headers\":true,\"max_payload\":1048576,\"client_id\":5,"
      "\"client_ip\":\"127.0.0.1\"} \r\n");
  info.connect_info = true;
  info.remote_account = "$G";
  info.auth_required = true;
  info.connect_urls = {"a:1", "b:2"};
  const std::string text = encode_info(info);
  EXPECT_NE(text.find("\"auth_required\":true"), std::string::npos);
  EXPECT_NE(text.find("\"connect_urls\":[\"a:1\",\"b:2\"],"), std::string::npos) << text;
  EXPECT_NE(text.find("\"connect_info\":true,\"remote_account\":\"$G\"} \r\n"), std::string::npos);
}

}  // namespace
}  // namespace martlet::protocol
