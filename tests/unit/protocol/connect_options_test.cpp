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

TEST(ConnectOptions, tells_that_an_account_was_named) {
  ConnectOptions options;
  ASSERT_TRUE(read_connect(R"({"account":"A"})", options).is_ok());
  EXPECT_TRUE(options.has_account);
}

}  // namespace
}  // namespace martlet::protocol
