// SPDX-License-Identifier: Apache-2.0
//
// Goal: a loop holds what its sessions work by, and another snapshot concerns the sessions that
// begin after it on this loop, nobody else. Method: two real workers, turned by hand.
#include "net/worker.hpp"

#include <gtest/gtest.h>

#include "tests/unit/net/scripted_client.hpp"

namespace martlet::net {
namespace {

constexpr const char* quiet = "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n";
constexpr const char* six_bytes = "PUB a 6\r\n123456\r\nPING\r\n";
constexpr const char* too_large = "-ERR 'Maximum Payload Violation'\r\n";

broker::SessionOptions options_with(int64_t payload_bytes_max) {
  broker::SessionOptions options;
  options.payload_bytes_max = payload_bytes_max;
  return options;
}

class LoopOptions : public ::testing::TestWithParam<StreamManner> {
 protected:
  /// A client that has got INFO with this limit and has said CONNECT.
  SessionBench::Client connect(uint32_t loop, const std::string& payload_bytes_max) {
    SessionBench::Client client = bench_.offer(GetParam(), nullptr, nullptr, loop);
    bench_.settle({&client});
    EXPECT_NE(bench_.take(client).find("\"max_payload\":" + payload_bytes_max + ","),
              std::string::npos);
    bench_.say(client, quiet);
    return client;
  }
  void swap(uint32_t loop, int64_t payload_bytes_max) {
    EXPECT_TRUE(bench_.worker(loop).set_session_options(
        std::make_shared<const broker::SessionOptions>(options_with(payload_bytes_max))));
  }

  SessionBench bench_{2, options_with(1000)};
};

TEST_P(LoopOptions, gives_new_sessions_what_its_loop_holds_and_leaves_the_others_alone) {
  auto old = connect(0, "1000");
  swap(0, 5);
  auto fresh = connect(0, "5");
  auto elsewhere = connect(1, "1000");
  EXPECT_EQ(bench_.say(fresh, six_bytes), too_large);
  EXPECT_TRUE(fresh.wire->broker_closed);
  EXPECT_EQ(bench_.say(old, six_bytes), "PONG\r\n");
  EXPECT_EQ(bench_.say(elsewhere, six_bytes), "PONG\r\n");

  swap(1, 7);
  auto fresh_elsewhere = connect(1, "7");
  EXPECT_EQ(bench_.say(fresh_elsewhere, six_bytes), "PONG\r\n");
  EXPECT_EQ(bench_.say(fresh_elsewhere, "PUB a 8\r\n12345678\r\n"), too_large);
  auto fresh_here = connect(0, "5");
  EXPECT_EQ(bench_.say(fresh_here, six_bytes), too_large);
  EXPECT_EQ(bench_.say(old, six_bytes), "PONG\r\n");
  EXPECT_EQ(bench_.say(elsewhere, six_bytes), "PONG\r\n");
}

TEST_P(LoopOptions, changes_what_it_holds_in_the_order_of_its_tasks) {
  auto before = bench_.offer(GetParam());
  swap(0, 5);
  auto after = bench_.offer(GetParam());
  bench_.settle({&before, &after});
  EXPECT_NE(bench_.take(before).find("\"max_payload\":1000,"), std::string::npos);
  EXPECT_NE(bench_.take(after).find("\"max_payload\":5,"), std::string::npos);
}

TEST_P(LoopOptions, lets_a_snapshot_go_with_the_last_session_that_works_by_it) {
  auto first = std::make_shared<const broker::SessionOptions>(options_with(5));
  EXPECT_TRUE(bench_.worker().set_session_options(first));
  auto client = connect(0, "5");
  swap(0, 6);
  bench_.turn_loops();
  EXPECT_EQ(first.use_count(), 2);  // This test's and the session's.
  client.wire->client_closed = true;
  bench_.settle({&client});
  EXPECT_EQ(first.use_count(), 1);
}

INSTANTIATE_TEST_SUITE_P(Streams, LoopOptions,
                         ::testing::Values(StreamManner::whole, StreamManner::one_byte),
                         [](const auto& instance) {
                           return instance.param == StreamManner::whole ? "whole" : "one_byte";
                         });

}  // namespace
}  // namespace martlet::net
