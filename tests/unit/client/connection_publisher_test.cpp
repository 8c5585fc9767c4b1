// SPDX-License-Identifier: Apache-2.0
//
// Goal: a message leaves as it was given or is refused with the reason, and who waits for room
// hears of it once. Method: a scripted server on the same thread; every byte that the client
// says is compared.
#include "client/connection_publisher.hpp"

#include "tests/unit/client/fake_server.hpp"

namespace martlet::client {
namespace {

using Strings = std::vector<std::string>;
using ConnectionPublisherTest = FakeServerTest;

TEST_F(ConnectionPublisherTest, PublishesWithinTheServersLimits) {
  connect();
  ASSERT_TRUE(connection->publish({"a", "r", "NATS/1.0\r\nK: v\r\n\r\n", "x"}).is_ok());
  EXPECT_EQ(said(), "HPUB a r 18 19\r\nNATS/1.0\r\nK: v\r\n\r\nx\r\n");
  const Status status = connection->publish({"a", {}, {}, std::string(1001, 'x')});
  EXPECT_EQ(status.code(), ErrorCode::payload_too_large);
  EXPECT_NE(status.error().context.find("1001 > max_payload 1000"), std::string::npos);
  server->say("INFO {\"max_payload\":20,\"headers\":false}\r\n");
  turn();
  EXPECT_EQ(connection->publish({"a", {}, {}, std::string(21, 'x')}).code(),
            ErrorCode::payload_too_large);
  EXPECT_EQ(connection->publish({"a", {}, "NATS/1.0\r\n\r\n", ""}).code(), ErrorCode::unsupported);
}

TEST_F(ConnectionPublisherTest, RefusesWhatIsNoSubject) {
  connect();
  EXPECT_EQ(connection->publish({"a.*", {}, {}, {}}).code(), ErrorCode::invalid_subject);
  EXPECT_EQ(connection->publish({"a", "r.>", {}, {}}).code(), ErrorCode::invalid_subject);
  EXPECT_EQ(connection->publish({"a", {}, "no block", {}}).is_ok(), false);
  EXPECT_EQ(said(), "");
}

TEST_F(ConnectionPublisherTest, RoomIsToldOnceAndAtOnceIfThereIsSome) {
  options.pending_bytes_max = 1000;
  server->ring_bytes = 4096;
  connect();
  completions();
  ASSERT_TRUE(connection->notify_capacity(100, queue, 7).is_ok());
  EXPECT_EQ(completions(), (Strings{"4 0 0  "}));
  Status status;
  for (int i = 0; i < 100 && status.is_ok(); ++i) {
    status = connection->publish({"a", {}, {}, std::string(200, 'x')});
    if (status.code() == ErrorCode::again) break;
    turn();
  }
  ASSERT_EQ(status.code(), ErrorCode::again);
  EXPECT_EQ(connection->wait_capacity(300, 0).code(), ErrorCode::again);
  ASSERT_TRUE(connection->notify_capacity(300, queue, 8).is_ok());
  EXPECT_EQ(completions(), Strings{});
  Strings seen;
  ASSERT_TRUE(turn_until([&] {
    server->hear();
    for (const std::string& text : completions()) seen.push_back(text);
    return !seen.empty();
  }));
  EXPECT_EQ(seen, (Strings{"4 0 0  "}));
  EXPECT_TRUE(connection->wait_capacity(300, 0).is_ok());
}

// What was written just before the loop slept made room, and nobody was told until something came.
TEST_F(ConnectionPublisherTest, RoomThatIsMadeBeforeTheLoopSleepsIsToldAtOnce) {
  options.run = RunMode::driven_by_caller;
  options.gather = true;
  options.pending_bytes_max = 1000;
  make();
  ASSERT_TRUE(connection->start().is_ok());
  const int64_t connected_until = clock.monotonic_ns() + 60 * ns_per_s;
  while (connection->state() != ConnectionState::connected) {
    ASSERT_LT(clock.monotonic_ns(), connected_until);
    static_cast<void>(queue->poll(1, ns_per_ms));
    if (server->hear().find("PING\r\n") != std::string::npos) server->say("PONG\r\n");
  }
  const auto fill = [this] {
    while (connection->publish({"a", {}, {}, std::string(200, 'x')}).is_ok()) continue;
  };
  const int64_t long_ns = 60 * ns_per_s;
  const int64_t began = clock.monotonic_ns();
  fill();
  EXPECT_TRUE(connection->wait_capacity(300, long_ns).is_ok());
  fill();
  while (queue->poll(0, 0)) continue;
  fill();
  ASSERT_TRUE(connection->notify_capacity(300, queue, 8).is_ok());
  EXPECT_TRUE(queue->poll(1, long_ns).is_ok());
  EXPECT_LT(clock.monotonic_ns() - began, long_ns / 2);
}

TEST_F(ConnectionPublisherTest, WhoWaitsForRoomHearsOfTheEnd) {
  options.pending_bytes_max = 1000;
  server->ring_bytes = 4096;
  connect();
  completions();
  while (connection->publish({"a", {}, {}, std::string(200, 'x')}).is_ok()) turn();
  ASSERT_TRUE(connection->notify_capacity(900, queue, 8).is_ok());
  ASSERT_TRUE(connection->close().is_ok());
  EXPECT_EQ(completions().front(), "4 -9 0  ");
  EXPECT_EQ(connection->notify_capacity(1, queue, 8).code(), ErrorCode::closed);
}

TEST_F(ConnectionPublisherTest, SoManyMayWaitForRoom) {
  options.pending_bytes_max = 1000;
  server->ring_bytes = 4096;
  connect();
  completions();
  while (connection->publish({"a", {}, {}, std::string(200, 'x')}).is_ok()) turn();
  for (size_t i = 0; i < ConnectionPublisher::capacity_waiters_max; ++i) {
    ASSERT_TRUE(connection->notify_capacity(900, queue, 8).is_ok()) << i;
  }
  const Status refused = connection->notify_capacity(900, queue, 8);
  EXPECT_EQ(refused.code(), ErrorCode::limit_reached);
  EXPECT_EQ(refused.error().context, "65536 calls wait for room already");
  size_t told = 0;
  ASSERT_TRUE(turn_until([&] {
    server->hear();
    told += completions().size();
    return told > 0;
  }));
  EXPECT_EQ(told, ConnectionPublisher::capacity_waiters_max);
  EXPECT_TRUE(connection->notify_capacity(900, queue, 8).is_ok());
}

TEST_F(ConnectionPublisherTest, ALineAboveTheServersLimitIsRefused) {
  connect();
  const std::string reply(2000, 'r');
  EXPECT_EQ(connection->publish({std::string(2001, 's'), reply, {}, {}}).code(),
            ErrorCode::invalid_subject);
  EXPECT_TRUE(connection->publish({std::string(2000, 's'), reply, {}, {}}).is_ok());
}

}  // namespace
}  // namespace martlet::client
