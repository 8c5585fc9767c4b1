// SPDX-License-Identifier: Apache-2.0
//
// Goal: CONNECT is read as nats-server reads it. Method: tables of accepted and refused texts.
#include "protocol/connect_options.hpp"

#include <gtest/gtest.h>

namespace martlet::protocol {
namespace {

TEST(ConnectOptions, has_the_defaults_of_nats) {
  ConnectOptions options;
  ASSERT_TRUE(read_connect("{}", options).is_ok());
  EXPECT_TRUE(options.verbose && options.pedantic && options.echo);
  EXPECT_FALSE(options.headers || options.no_responders);
}

TEST(ConnectOptions, matches_keys_in_any_case_and_ignores_strangers) {
  ConnectOptions options;
  ASSERT_TRUE(
      read_connect(R"({"VERBOSE":false,"Pedantic":false,"x":{"y":[1,{}]},"user":"u","pass":"p",
                               "auth_token":"t","protocol":1,"HEADERS":true,"name":null})",
                   options)
          .is_ok());
  EXPECT_FALSE(options.verbose || options.pedantic);
  EXPECT_TRUE(options.headers);
  EXPECT_EQ(options.user + options.password + options.token, "upt");
  EXPECT_EQ(options.protocol, 1);
}

TEST(ConnectOptions, refuses_wrong_types_trailing_bytes_and_depth) {
  for (const char* text :
       {"", "{", "[]", "1", "{} x", R"({"verbose":1})", R"({"user":1})", R"({"protocol":"1"})",
        R"({"protocol":1.5})", R"({"name":{}})", R"({"verbose":true)", R"({'a':1})"}) {
    ConnectOptions options;
    EXPECT_FALSE(read_connect(text, options).is_ok()) << text;
  }
  ConnectOptions options;
  EXPECT_FALSE(read_connect("{\"a\":" + std::string(100000, '[') + "}", options).is_ok());
}

TEST(ConnectOptions, nests_up_to_ten_thousand) {
  const auto nested = [](size_t levels) {
    return "{\"x\":" + std::string(levels - 1, '[') + std::string(levels - 1, ']') + "}";
  };
  ConnectOptions options;
  EXPECT_TRUE(read_connect(nested(10000), options).is_ok());
  EXPECT_FALSE(read_connect(nested(10001), options).is_ok());
}

TEST(ConnectOptions, reads_every_key_that_is_given_twice) {
  ConnectOptions options;
  ASSERT_TRUE(read_connect(R"({"name":"a","NAME":"b","name":null})", options).is_ok());
  EXPECT_EQ(options.name, "b");
  EXPECT_FALSE(read_connect(R"({"verbose":1,"verbose":false})", options).is_ok());
  EXPECT_FALSE(read_connect(R"({"Verbose":false,"verbose":1})", options).is_ok());
}

TEST(ConnectOptions, folds_keys_as_go_does) {
  ConnectOptions options;
  ASSERT_TRUE(read_connect("{\"verbo\xc5\xbf"
                           "e\":false,\"n\\u212aey\":\"U\"}",
                           options)
                  .is_ok());
  EXPECT_FALSE(options.verbose);
  EXPECT_EQ(options.nkey, "U");
}

TEST(ConnectOptions, an_info_has_its_types) {
  for (const char* text :
       {"null", "{}", R"({"x":[[[1]]],"port":-1,"client_id":18446744073709551615})",
        R"({"import":null,"export":{"allow":["a",null],"deny":null,"x":1}})",
        R"({"gateway_cmd":255,"gateway_cmd_payload":"YWI=","gateway_urls":["a"]})",
        R"({"gateway_cmd_payload":[1,2]})", R"({"max_payload":2147483647})"}) {
    EXPECT_TRUE(is_info(text)) << text;
  }
  for (const char* text :
       {"", "[]", "1", R"({"gateway":5})", R"({"import":5})", R"({"import":{"allow":"a"}})",
        R"({"import":{"deny":[1]}})", R"({"export":[]})", R"({"lnoc":1})",
        R"({"port":1,"port":""})", R"({"gossip_mode":256})", R"({"gossip_mode":-1})",
        R"({"gateway_cmd_payload":"YWI"})", R"({"gateway_cmd_payload":[256]})",
        R"({"leafnode_urls":{}})", R"({"client_id":-1})", R"({"max_payload":2147483648})",
        R"({"tls_available":"x"})", R"({"route_pool_idx":1.0})"}) {
    EXPECT_FALSE(is_info(text)) << text;
  }
}

TEST(ConnectOptions, tells_that_an_account_was_named) {
  ConnectOptions options;
  ASSERT_TRUE(read_connect(R"({"account":"A"})", options).is_ok());
  EXPECT_TRUE(options.has_account);
}

}  // namespace
}  // namespace martlet::protocol
