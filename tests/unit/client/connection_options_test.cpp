// SPDX-License-Identifier: Apache-2.0
//
// Goal: options are read whole, defaults are those of NATS clients, and an error names the key that
// is wrong.
#include "client/connection_options.hpp"

#include <gtest/gtest.h>

namespace martlet::client {
namespace {

TEST(ConnectionOptions, DefaultsAreThoseOfNatsClients) {
  const Result<ConnectionOptions> options = parse_connection_options("");
  ASSERT_TRUE(options.is_ok());
  EXPECT_EQ(options->connect_timeout_ms, 2000);
  EXPECT_EQ(options->reconnect_wait_ms, 2000);
  EXPECT_EQ(options->reconnect_jitter_ms, 100);
  EXPECT_EQ(options->reconnect_attempts_max, 60);
  EXPECT_EQ(options->reconnect_buffer_bytes_max, 8 * 1024 * 1024);
  EXPECT_EQ(options->ping_interval_ms, 120000);
  EXPECT_EQ(options->pings_out_max, 2);
  EXPECT_EQ(options->drain_timeout_ms, 30000);
  EXPECT_EQ(options->inbox_prefix, "_INBOX");
  EXPECT_TRUE(options->randomize_servers);
  EXPECT_TRUE(options->echo);
}

TEST(ConnectionOptions, ReadsUrlsAndJson) {
  const Result<ConnectionOptions> bare = parse_connection_options("a:1,b:2");
  ASSERT_TRUE(bare.is_ok());
  EXPECT_EQ(bare->servers.size(), 2u);
  const Result<ConnectionOptions> options = parse_connection_options(
      R"( {"servers":["nats://u:p@a:1","b"],"run":"lent","name":"n","token":"t",
           "verbose":true,"echo":false,"reconnect_attempts_max":-1,"ping_interval_ms":0,
           "gather":true,"inbox_prefix":"my.box"} )");
  ASSERT_TRUE(options.is_ok()) << options.error().context;
  EXPECT_EQ(options->servers[0].password, "p");
  EXPECT_EQ(options->run, RunMode::lent_loop);
  EXPECT_EQ(options->reconnect_attempts_max, -1);
  EXPECT_EQ(options->token, "t");
  EXPECT_TRUE(options->verbose && options->gather && !options->echo);
}

TEST(ConnectionOptions, NamesTheWrongKey) {
  const struct {
    const char* text;
    const char* says;
  } cases[] = {
      {R"({"sevrers":"a"})", "\"sevrers\": there is no such option"},
      {R"({"run":"fast"})", "\"run\": wanted is one of \"caller\", \"lent\", \"thread\""},
      {R"({"name":1})", "\"name\": a text is wanted"},
      {R"({"echo":"no"})", "\"echo\": true or false is wanted"},
      {R"({"pings_out_max":0})", "\"pings_out_max\": 0 is below 1"},
      {R"({"pings_out_max":1.5})", "\"pings_out_max\": a whole number is wanted"},
      {R"({"servers":[]})", "\"servers\": a text or a list"},
      {R"({"servers":["h:x"]})", "\"servers\": server URL \"h:x\": the port is not a number"},
      {R"({"inbox_prefix":"a.*"})", "\"inbox_prefix\""},
      {R"({"name":)", "not JSON"},
  };
  for (const auto& c : cases) {
    const Result<ConnectionOptions> options = parse_connection_options(c.text);
    ASSERT_FALSE(options.is_ok()) << c.text;
    EXPECT_NE(options.error().context.find(c.says), std::string::npos) << options.error().context;
  }
}

TEST(ConnectionOptions, BoundsOfSubscriptionsAndQueues) {
  const Result<FeedOptions> feed =
      parse_feed_options(R"({"messages_max":5,"full_policy":"drop_oldest"})");
  ASSERT_TRUE(feed.is_ok());
  EXPECT_EQ(feed->messages_max, 5);
  EXPECT_EQ(feed->full_policy, FullPolicy::drop_oldest);
  EXPECT_FALSE(parse_feed_options(R"({"full_policy":"drop"})").is_ok());
  const Result<QueueOptions> queue = parse_queue_options(R"({"bytes_max":1000,"spin_us":50})");
  ASSERT_TRUE(queue.is_ok());
  EXPECT_EQ(queue->spin_us, 50);
  EXPECT_FALSE(parse_queue_options(R"({"messages_max":0})").is_ok());
}

}  // namespace
}  // namespace martlet::client
