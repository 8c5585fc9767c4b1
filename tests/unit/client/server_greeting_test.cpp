// SPDX-License-Identifier: Apache-2.0
//
// Goal: INFO is read as servers write it, CONNECT says what was asked, errors of the server get
// their code.
#include "client/server_greeting.hpp"

#include <gtest/gtest.h>

namespace martlet::client {
namespace {

TEST(ServerGreeting, ReadsInfo) {
  const Result<ServerInfo> info = parse_server_info(
      R"({"server_id":"N1","version":"2.15.2","headers":true,"max_payload":1048576,"client_id":7,
          "unknown":[1],"connect_urls":["a:1","b:2"],"ldm":true,"nonce":null})");
  ASSERT_TRUE(info.is_ok());
  EXPECT_EQ(info->max_payload, 1048576);
  EXPECT_EQ(info->connect_urls.size(), 2u);
  EXPECT_TRUE(info->headers && info->lame_duck && !info->auth_required);
  for (const char* text :
       {"", "[]", "{", R"({"headers":1})", R"({"connect_urls":"a"})", R"({"max_payload":"1"})"}) {
    EXPECT_EQ(parse_server_info(text).code(), ErrorCode::protocol) << text;
  }
}

TEST(ServerGreeting, ConnectSaysWhatWasAsked) {
  ConnectionOptions options;
  options.name = "a \"name\"";
  options.verbose = true;
  ServerInfo info;
  info.headers = true;
  const std::string line = connect_line(options, nullptr, info);
  EXPECT_TRUE(line.starts_with("CONNECT {\"lang\":\"c++\",\"version\":\""));
  EXPECT_TRUE(line.ends_with("}\r\n"));
  for (const char* part :
       {"\"protocol\":1", "\"verbose\":true", "\"echo\":true", "\"headers\":true",
        "\"no_responders\":true", "\"name\":\"a \\\"name\\\"\""}) {
    EXPECT_NE(line.find(part), std::string::npos) << part << " in " << line;
  }
  EXPECT_EQ(line.find("user"), std::string::npos);
}

TEST(ServerGreeting, OptionsBeatTheUrl) {
  ConnectionOptions options;
  const ServerUrl with_password = *parse_server_url("u:p@h");
  const ServerUrl with_token = *parse_server_url("t@h");
  const ServerInfo info;
  EXPECT_NE(connect_line(options, &with_password, info).find("\"user\":\"u\",\"pass\":\"p\""),
            std::string::npos);
  EXPECT_NE(connect_line(options, &with_token, info).find("\"auth_token\":\"t\""),
            std::string::npos);
  options.user = "x";
  EXPECT_NE(connect_line(options, &with_password, info).find("\"user\":\"x\""), std::string::npos);
  options.token = "y";
  EXPECT_NE(connect_line(options, &with_password, info).find("\"auth_token\":\"y\""),
            std::string::npos);
}

TEST(ServerGreeting, ErrorsOfTheServer) {
  EXPECT_EQ(code_of_server_error("Authorization Violation"), ErrorCode::authorization);
  EXPECT_EQ(code_of_server_error("Permissions Violation for Publish to \"a\""),
            ErrorCode::permissions);
  EXPECT_EQ(code_of_server_error("Stale Connection"), ErrorCode::stale_connection);
  EXPECT_EQ(code_of_server_error("maximum connections exceeded"), ErrorCode::limit_reached);
  EXPECT_EQ(code_of_server_error("Maximum Payload Violation"), ErrorCode::payload_too_large);
  EXPECT_EQ(code_of_server_error("Unknown Protocol Operation"), ErrorCode::protocol);
}

}  // namespace
}  // namespace martlet::client
