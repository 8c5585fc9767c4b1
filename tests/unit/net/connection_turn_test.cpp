// SPDX-License-Identifier: Apache-2.0
//
// Goal: what a connection has read and not acted on stays where it is as long as something has to
// come first. Method: a real worker, turned by hand; each test on a stream that moves what there is
// and on one that moves one byte at a time.
#include <crypt.h>
#include <gtest/gtest.h>
#include <poll.h>

#include "tests/unit/net/scripted_client.hpp"

namespace martlet::net {
namespace {

constexpr const char* quiet = "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n";

class Turn : public ::testing::TestWithParam<StreamManner> {};

// Published to nobody, more than one turn's share.
std::string more_than_a_share() {
  std::string text;
  for (int i = 0; i < 1300; i++) text += "PUB n." + std::to_string(i) + " 0\r\n\r\n";
  return text;
}

TEST_P(Turn, nothing_behind_a_connect_is_done_while_that_is_checked) {
  auth::AuthOptions auth;
  auth.user = "u";
  crypt_data data{};
  auth.password = crypt_r("right", "$2a$04$abcdefghijklmnopqrstuu", &data);
  const std::string right = "CONNECT {\"user\":\"u\",\"pass\":\"right\",\"verbose\":false}\r\n";
  const std::string wrong = "CONNECT {\"user\":\"u\",\"pass\":\"wrong\",\"verbose\":false}\r\n";
  for (const bool is_right : {true, false}) {
    SessionBench bench({}, auth);
    auto listener = bench.connect(GetParam());
    EXPECT_EQ(bench.say(listener, right + "SUB secret 1\r\nPING\r\n"), "PONG\r\n");
    auto client = bench.connect(GetParam());
    EXPECT_EQ(bench.say(client, right + "PING\r\n"), "PONG\r\n");
    bench.hold_slow_work();
    client.wire->to_broker =
        more_than_a_share() + (is_right ? right : wrong) + "PUB secret 5\r\nhello\r\nPING\r\n";
    bench.settle({&client, &listener});
    EXPECT_EQ(bench.take(listener), "");
    EXPECT_EQ(bench.take(client), "");
    bench.do_slow_work();
    bench.settle({&client, &listener});
    EXPECT_EQ(bench.take(listener), is_right ? "MSG secret 1 5\r\nhello\r\n" : "");
    EXPECT_EQ(bench.take(client), is_right ? "PONG\r\n" : "-ERR 'Authorization Violation'\r\n");
    EXPECT_EQ(client.wire->broker_closed, !is_right);
  }
}

// no_fast_producer_stall speaks of receivers that are behind, not of the memory of all. On a whole
// stream only: a producer waits behind what one read took, on the other one behind each byte.
TEST(WholeTurn, a_producer_waits_for_memory_whatever_it_does_for_receivers) {
  constexpr int64_t memory_bytes_max = 10'000'000;
  for (const bool stalls_producers : {true, false}) {
    broker::SessionOptions options;
    options.stalls_producers = stalls_producers;
    const auto bench = SessionBench::with_memory(memory_bytes_max, options);
    auto client = bench->connect(StreamManner::whole);
    EXPECT_EQ(bench->say(client, std::string(quiet) + "PING\r\n"), "PONG\r\n");
    bench->budget().add(memory_bytes_max / 100 * 91);
    EXPECT_EQ(bench->say(client, "PING\r\n"), "PONG\r\n");
    EXPECT_TRUE(bench->find(client)->is_stalled());
    bench->budget().remove(memory_bytes_max / 100 * 91);
    bench->settle({&client});
    EXPECT_FALSE(bench->find(client)->is_stalled());
  }
}

// Or its loop would be told again and again of what nobody reads. On a whole stream only: the other
// one wants to write before it reads, and this client takes nothing.
TEST(WholeTurn, what_only_finishes_wants_to_hear_nothing) {
  SessionBench bench;
  auto client = bench.connect(StreamManner::whole);
  bench.say(client, std::string(quiet) + "SUB s 1\r\n");
  client.wire->reads_nothing = true;
  bench.say(client, "PUB s 5\r\nhello\r\nBOGUS\r\n");
  EXPECT_FALSE(client.wire->broker_closed);
  client.wire->to_broker = "PING\r\n";
  EXPECT_FALSE(client.stream->turn());
  client.wire->reads_nothing = false;
  bench.settle({&client});
  EXPECT_EQ(bench.take(client), "MSG s 1 5\r\nhello\r\n-ERR 'Unknown Protocol Operation'\r\n");
  EXPECT_TRUE(client.wire->broker_closed);
}

// A loop that has nothing to do gives its routes back when another one finds that memory is short.
TEST_P(Turn, caches_go_on_every_loop_where_memory_runs_short) {
  constexpr int64_t memory_bytes_max = 100'000'000;
  SessionBench bench(2, {}, {}, nullptr, memory_bytes_max);
  auto idle = bench.connect(GetParam(), nullptr, nullptr, 1);
  auto busy = bench.connect(GetParam());
  bench.say(idle, quiet + more_than_a_share() + more_than_a_share());
  bench.say(busy, quiet);
  EXPECT_GT(bench.worker(1).shard().routes().entry_count(), 0U);
  bench.budget().add(memory_bytes_max / 100 * 71);
  busy.wire->to_broker = "PING\r\n";
  while (!busy.wire->to_broker.empty()) busy.stream->turn();
  bench.worker(0).loop().run_once(0);
  pollfd woken{bench.worker(1).loop().wake_descriptor(), POLLIN, 0};
  EXPECT_EQ(poll(&woken, 1, 0), 1) << "the other loop was not woken";
  bench.worker(1).loop().run_once(0);
  EXPECT_EQ(bench.worker(1).shard().routes().entry_count(), 0U);
  bench.budget().remove(memory_bytes_max / 100 * 71);
}

// Ahead of where it acts a connection looks at subjects that come; that changes nothing.
TEST_P(Turn, a_look_ahead_goes_by_whatever_stands_between_publishes) {
  SessionBench bench;
  auto client = bench.connect(GetParam());
  std::string said = std::string(quiet) + "SUB n.*.> 1\r\nSUB m.> 2\r\n";
  std::string expected;
  for (int i = 0; i < 300; i++) {
    const std::string number = std::to_string(i);
    said += "PUB n." + number + ".x " + std::to_string(number.size()) + "\r\n" + number + "\r\n";
    expected +=
        "MSG n." + number + ".x 1 " + std::to_string(number.size()) + "\r\n" + number + "\r\n";
    if (i % 7 == 0) {
      said += "PING\r\n";
      expected += "PONG\r\n";
    }
    if (i % 11 == 0) said += "SUB n." + number + ".y s" + number + "\r\n";
    if (i % 50 == 0) said += "PUB nobody." + number + " 0\r\n\r\n";
  }
  EXPECT_EQ(bench.say(client, said + "PING\r\n"), expected + "PONG\r\n");
  const uint64_t prefetched = bench.worker().shard().prefetched_count();
  EXPECT_GE(prefetched, GetParam() == StreamManner::whole ? 200U : 0U);
  std::string same;
  for (int i = 0; i < 300; i++) same += "PUB m.same 0\r\n\r\n";
  (void)bench.say(client, same);
  EXPECT_LE(bench.worker().shard().prefetched_count(), prefetched + 16)
      << "where routes are remembered it is not worth it";
}

TEST_P(Turn, a_large_payload_is_held_once_for_all_who_are_behind) {
  const size_t payload_bytes = GetParam() == StreamManner::whole ? 700'000 : 200'000;
  const auto bench = SessionBench::with_memory(1'000'000'000);
  auto publisher = bench->connect(GetParam());
  EXPECT_EQ(bench->say(publisher, std::string(quiet) + "PING\r\n"), "PONG\r\n");
  std::vector<SessionBench::Client> behind;
  for (int i = 0; i < 5; i++) {
    behind.push_back(bench->connect(GetParam()));
    EXPECT_EQ(bench->say(behind.back(), std::string(quiet) + "SUB a 1\r\nPING\r\n"), "PONG\r\n");
    behind.back().wire->reads_nothing = true;
  }
  const int64_t before = bench->budget().bytes();
  const std::string head = "a 1 " + std::to_string(payload_bytes) + "\r\n";
  std::string payload(payload_bytes, 'p');
  for (size_t i = 0; i < payload_bytes; i++) payload[i] = static_cast<char>('a' + i % 23);
  publisher.wire->to_broker =
      "PUB a " + std::to_string(payload_bytes) + "\r\n" + payload + "\r\nPING\r\n";
  bench->settle({&publisher});
  EXPECT_EQ(bench->take(publisher), "PONG\r\n");
  const int64_t held = bench->budget().bytes() - before;
  EXPECT_GE(held, static_cast<int64_t>(payload_bytes));
  EXPECT_LT(held, static_cast<int64_t>(payload_bytes) * 2) << "and not once for each";
  for (auto& client : behind) {
    client.wire->reads_nothing = false;
    bench->settle({&client});
    EXPECT_TRUE(bench->take(client) == "MSG " + head + payload + "\r\n");
  }
  EXPECT_EQ(bench->budget().bytes(), before);
}

INSTANTIATE_TEST_SUITE_P(Streams, Turn,
                         ::testing::Values(StreamManner::whole, StreamManner::one_byte),
                         [](const auto& instance) {
                           return instance.param == StreamManner::whole ? "whole" : "one_byte";
                         });

}  // namespace
}  // namespace martlet::net
