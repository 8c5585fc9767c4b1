// SPDX-License-Identifier: Apache-2.0
//
// Goal: addresses split as Go splits them. Method: a table of each kind.
#include "server/host_port.hpp"

#include <gtest/gtest.h>

namespace martlet::server {
namespace {

TEST(HostPort, splits) {
  struct Case {
    const char* text;
    const char* host;
    int64_t port;
  };
  const Case cases[] = {{"h:1", "h", 1},       {":2", "", 2},
                        {"[::1]:3", "::1", 3}, {"1.2.3.4:-1", "1.2.3.4", -1},
                        {"h:+5", "h", 5},      {"h:70000", "h", 70000}};
  for (const Case& one : cases) {
    const Result<HostPort> split = split_host_port(one.text);
    ASSERT_TRUE(split) << one.text;
    EXPECT_EQ(split->host, one.host);
    EXPECT_EQ(split->port, one.port);
  }
}

TEST(HostPort, refuses_in_natss_words) {
  for (const char* text : {"", "h", "::1:5", "[::1:5", "a]b:5"}) {
    const Result<HostPort> split = split_host_port(text);
    ASSERT_FALSE(split) << text;
    EXPECT_EQ(split.error().context,
              "could not parse address string \"" + std::string(text) + "\"");
  }
  EXPECT_EQ(split_host_port("h:x").error().context, "could not parse port \"x\"");
  EXPECT_EQ(split_host_port("h:").error().context, "could not parse port \"\"");
  EXPECT_EQ(split_host_port("h:1x").error().context, "could not parse port \"1x\"");
}

TEST(HostPort, an_advertised_address_may_leave_the_port_out) {
  struct Case {
    const char* text;
    const char* host;
    int64_t port;
  };
  const Case cases[] = {{"h:1", "h", 1},           {"h", "h", 4222},       {":7", "", 7},
                        {"[::1]:5", "::1", 5},     {"[::1]", "::1", 4222}, {"h:0", "h", 4222},
                        {"h:-1", "h", 4222},       {"h:-7", "h", -7},      {"h:+7", "h", 7},
                        {"h:999999", "h", 999999}, {" h : 7 ", "h", 7}};
  for (const Case& one : cases) {
    const Result<HostPort> split = read_advertised_address(one.text, 4222);
    ASSERT_TRUE(split) << one.text;
    EXPECT_EQ(split->host, one.host);
    EXPECT_EQ(split->port, one.port);
  }
}

TEST(HostPort, an_advertised_address_is_refused_in_gos_words) {
  const char* const cases[][2] = {
      {"a:b", "strconv.Atoi: parsing \"b\": invalid syntax"},
      {"a:", "strconv.Atoi: parsing \"\": invalid syntax"},
      {"a:+-1", "strconv.Atoi: parsing \"+-1\": invalid syntax"},
      {"a:99999999999999999999",
       "strconv.Atoi: parsing \"99999999999999999999\": value out of range"},
      {"::1", "address ::1: too many colons in address"},
      {"a:b:7", "address a:b:7: too many colons in address"},
      {"a]:7", "address a]:7: unexpected ']' in address"},
      {"a[:7", "address a[:7: unexpected '[' in address"},
      {"[a:7", "address [a:7: missing ']' in address"},
      {"[a]b", "address [a]b:4222: missing port in address"}};
  for (const auto& [text, words] : cases) {
    const Result<HostPort> split = read_advertised_address(text, 4222);
    ASSERT_FALSE(split) << text;
    EXPECT_EQ(split.error().context, words);
  }
}

}  // namespace
}  // namespace martlet::server
