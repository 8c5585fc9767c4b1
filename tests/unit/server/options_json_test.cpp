// SPDX-License-Identifier: Apache-2.0
//
// Goal: an embedded server's options are read as capi/records says; a wrong key or value is named.
// Method: one text for each way to be right or wrong; every key is given a value of every wrong
// type.
#include "server/options_json.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace martlet::server {
namespace {

TEST(OptionsJson, EmptyTextIsALoopbackServerOnAnyPort) {
  for (const std::string_view text : {"", "  \n", "{}"}) {
    const Result<Options> options = parse_options_json(text);
    ASSERT_TRUE(options.is_ok());
    EXPECT_EQ(options->host, "127.0.0.1");
    EXPECT_EQ(options->port, -1);
    EXPECT_TRUE(options->listens);
  }
}

TEST(OptionsJson, ReadsValuesInTheirUnits) {
  const Result<Options> options =
      parse_options_json(R"({"host":"::1","port":4333,"user":"u","password":"p",)"
                         R"("ping_interval_ms":1500,"max_payload":1000,"loops":2,"spin_us":50})");
  ASSERT_TRUE(options.is_ok()) << options.error().context;
  EXPECT_EQ(options->host, "::1");
  EXPECT_EQ(options->port, 4333);
  EXPECT_EQ(options->auth.user, "u");
  EXPECT_EQ(options->auth.password, "p");
  EXPECT_EQ(options->ping_interval_ns, 1'500'000'000);
  EXPECT_EQ(options->max_payload, 1000);
  EXPECT_EQ(options->loops, 2);
  EXPECT_EQ(options->spin_us, 50);
}

TEST(OptionsJson, PortZeroIsAnyFreePort) {
  EXPECT_EQ(parse_options_json(R"({"port":0})")->port, -1);
  EXPECT_EQ(parse_options_json(R"({"port":-1})")->port, -1);
}

TEST(OptionsJson, NamesTheUnknownKey) {
  const Result<Options> options = parse_options_json(R"({"prot":4222})");
  ASSERT_EQ(options.code(), ErrorCode::invalid_options);
  EXPECT_NE(options.error().context.find("\"prot\""), std::string::npos) << options.error().context;
}

TEST(OptionsJson, EveryKeyRefusesAWrongTypeByName) {
  for (const std::string_view key : options_json_keys()) {
    const std::string text = "{\"" + std::string(key) + "\":[1]}";
    const Result<Options> options = parse_options_json(text);
    ASSERT_EQ(options.code(), ErrorCode::invalid_options) << text;
    EXPECT_NE(options.error().context.find(key), std::string::npos) << options.error().context;
  }
}

TEST(OptionsJson, KeysAreSortedAndUnique) {
  std::vector<std::string_view> keys = options_json_keys();
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
  EXPECT_EQ(std::adjacent_find(keys.begin(), keys.end()), keys.end());
}

TEST(OptionsJson, RefusesWhatIsNoObjectOrOutOfBounds) {
  for (const std::string_view text :
       {"[]", "1", "{", "{\"port\":65536}", "{\"port\":-2}", "{\"max_payload\":0}",
        R"({"token":"t","user":"u"})", R"({"password":"p"})", R"({"host":""})",
        R"({"server_name":"a b"})", R"({"listen":false,"http_port":8222})"}) {
    EXPECT_EQ(parse_options_json(text).code(), ErrorCode::invalid_options) << text;
  }
}

TEST(OptionsJson, WhatWouldLetNobodyInOrEverybodySeeItIsNamed) {
  const auto refusal = [](std::string_view text) {
    return parse_options_json(text).error().context;
  };
  EXPECT_EQ(refusal(R"({"password":"p"})"), "option \"password\": a password needs a user");
  EXPECT_EQ(refusal(R"({"user":"","password":"p"})"),
            "option \"password\": a password needs a user");
  EXPECT_EQ(refusal(R"({"host":""})"),
            "option \"host\": it is empty; 0.0.0.0 or :: is every address");
  EXPECT_EQ(refusal(R"({"server_name":"a b"})"), "option \"server_name\": a name holds no space");
  EXPECT_TRUE(parse_options_json(R"({"user":"u"})").is_ok());
  EXPECT_TRUE(parse_options_json(R"({"host":"0.0.0.0","http_host":""})").is_ok());
}

}  // namespace
}  // namespace martlet::server
