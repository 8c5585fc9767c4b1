// SPDX-License-Identifier: Apache-2.0
//
// Goal: /subsz counts and lists the subscriptions of all loops, each on one page. Method:
// subscriptions with known overlap.
#include "server/monitoring_subsz.hpp"

#include <gtest/gtest.h>

#include <string>

#include "monitoring_fixture.hpp"

namespace martlet::server {
namespace {

TEST_F(MonitoringTest, subscriptions_are_counted_and_listed) {
  start(2);
  TestClient& a = client("a");
  TestClient& b = client("b");
  a.send("SUB foo.* 1\r\nSUB foo.> 2\r\nSUB other 3\r\n");
  b.send("SUB foo.a g 1\r\n");
  for (TestClient* client : {&a, &b}) client->sync();
  for (int i = 0; i < 3; i++) a.send("PUB foo.a 1\r\nx\r\n");
  a.sync();
  a.send("UNSUB 3\r\n");
  a.sync();
  const json::value counted = read_page(*server_, "/subsz");
  EXPECT_EQ(counted.at("num_subscriptions").as_int64(), 3);
  EXPECT_EQ(counted.at("num_inserts").as_int64(), 4);
  EXPECT_EQ(counted.at("num_removes").as_int64(), 1);
  EXPECT_EQ(counted.at("num_matches").as_int64(), 3);
  EXPECT_EQ(counted.at("num_cache").as_int64(), 1);
  EXPECT_EQ(counted.at("max_fanout").as_int64(), 3);
  EXPECT_EQ(counted.at("total").as_int64(), 0);
  EXPECT_EQ(counted.as_object().count("subscriptions_list"), 0U);
  const json::value listed = read_page(*server_, "/subscriptionsz?subs=1&test=foo.a");
  EXPECT_EQ(listed.at("total").as_int64(), 3);
  EXPECT_EQ(listed.at("subscriptions_list").as_array().size(), 3U);
  EXPECT_EQ(read_page(*server_, "/subsz?subs=1&test=foo.a.b").at("total").as_int64(), 1);
  EXPECT_EQ(read_page(*server_, "/subsz?acc=NOPE&subs=1").at("total").as_int64(), 0);
  // Each subscription is on exactly one page.
  std::string seen;
  for (int i = 0; i < 3; i++) {
    const json::value part =
        read_page(*server_, "/subsz?subs=1&limit=1&offset=" + std::to_string(i));
    ASSERT_EQ(part.at("subscriptions_list").as_array().size(), 1U);
    EXPECT_EQ(part.at("total").as_int64(), 3);
    seen += std::string(part.at("subscriptions_list").at(0).at("subject").as_string()) + " ";
  }
  for (const char* subject : {"foo.* ", "foo.> ", "foo.a "})
    EXPECT_TRUE(has(seen, subject)) << seen;
}

}  // namespace
}  // namespace martlet::server
