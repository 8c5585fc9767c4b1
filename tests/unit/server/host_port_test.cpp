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

}  // namespace
}  // namespace martlet::server
