// SPDX-License-Identifier: Apache-2.0
//
// Goal: every form of address that NATS users write is understood, and every wrong one is refused
// with a reason.
#include "client/server_url.hpp"

#include <gtest/gtest.h>

namespace martlet::client {
namespace {

TEST(ServerUrl, UnderstandsAllForms) {
  const struct {
    const char* text;
    const char* shown;
    const char* user;
    const char* password;
  } cases[] = {
      {"localhost", "nats://localhost:4222", "", ""},
      {" localhost:5000 ", "nats://localhost:5000", "", ""},
      {"nats://a.b.c", "nats://a.b.c:4222", "", ""},
      {"nats://derek:p%40ss%3a@h:1/", "nats://h:1", "derek", "p@ss:"},
      {"nats://token@h", "nats://h:4222", "token", ""},
      {"tcp://[::1]:4333", "nats://[::1]:4333", "", ""},
      {"[fe80::1]", "nats://[fe80::1]:4222", "", ""},
      {"u:a@b@h:65535", "nats://h:65535", "u", "a@b"},
  };
  for (const auto& c : cases) {
    const Result<ServerUrl> url = parse_server_url(c.text);
    ASSERT_TRUE(url.is_ok()) << c.text << ": " << url.error().context;
    EXPECT_EQ(url->text(), c.shown);
    EXPECT_EQ(url->user, c.user);
    EXPECT_EQ(url->password, c.password);
  }
  EXPECT_FALSE(parse_server_url("nats://token@h")->has_password);
  EXPECT_TRUE(parse_server_url("nats://u:@h")->has_password);
}

TEST(ServerUrl, RefusesTheRestAndSaysWhy) {
  const struct {
    const char* text;
    const char* why;
  } cases[] = {
      {"", "host is missing"},
      {"nats://", "host is missing"},
      {"h:0", "port is 0"},
      {"h:65536", "above 65535"},
      {"h:x", "not a number"},
      {"h:", "port is missing"},
      {"::1", "needs brackets"},
      {"[::1", "not closed"},
      {"[::1]x", "behind the address"},
      {"http://h", "only nats://"},
      {"u%zz@h", "percent escape"},
      {"u%4@h", "percent escape"},
      {"h/path", "strange character"},
      {"tls://h", "plain TCP only"},
      {"a b", "strange character"},
  };
  for (const auto& c : cases) {
    const Result<ServerUrl> url = parse_server_url(c.text);
    ASSERT_FALSE(url.is_ok()) << c.text;
    EXPECT_NE(url.error().context.find(c.why), std::string::npos) << url.error().context;
  }
  EXPECT_EQ(parse_server_url("secret:word@h:x").error().context.find("word"), std::string::npos);
}

TEST(ServerUrl, Lists) {
  const Result<std::vector<ServerUrl>> urls = parse_server_urls("a:1, nats://b:2 ,c");
  ASSERT_TRUE(urls.is_ok());
  ASSERT_EQ(urls->size(), 3u);
  EXPECT_EQ((*urls)[1].text(), "nats://b:2");
  EXPECT_FALSE(parse_server_urls("a,,b").is_ok());
  EXPECT_FALSE(parse_server_urls("").is_ok());
}

}  // namespace
}  // namespace martlet::client
