// SPDX-License-Identifier: Apache-2.0
//
// Goal: a connection ends in order: subscriptions, queues, what was published, the stream; or
// when its time is over. Method: a scripted server on the same thread; every byte that the
// client says is compared.
#include "client/connection_drain.hpp"

#include "tests/support/failing_allocations.hpp"
#include "tests/unit/client/fake_server.hpp"

namespace martlet::client {
namespace {

using Strings = std::vector<std::string>;
using ConnectionDrainTest = FakeServerTest;

TEST_F(ConnectionDrainTest, DrainEndsInOrder) {
  connect();
  const std::unique_ptr<Subscription> subscription = subscribe("a");
  said();
  completions();
  ASSERT_TRUE(connection->drain_start(-1).is_ok());
  EXPECT_EQ(said(), "UNSUB 1\r\nPING\r\n");
  EXPECT_EQ(connection->subscribe("b", {}, {}, queue, 0).code(), ErrorCode::draining);
  ASSERT_TRUE(connection->publish({"still", {}, {}, {}}).is_ok());
  server->say("MSG a 1 4\r\nlast\r\nPONG\r\n");
  EXPECT_EQ(completions(), (Strings{"1 0 1 a last", "5 0 1 a "}));
  ASSERT_TRUE(turn_until([&] { return server->hear().find("PING\r\n") != std::string::npos; }));
  EXPECT_EQ(connection->publish({"late", {}, {}, {}}).code(), ErrorCode::draining);
  server->say("PONG\r\n");
  EXPECT_EQ(completions(), (Strings{"19 0 0  drained"}));
  EXPECT_EQ(connection->state(), ConnectionState::closed);
}

TEST_F(ConnectionDrainTest, DrainThatTakesTooLongCloses) {
  connect();
  completions();
  ASSERT_TRUE(connection->drain_start(1).is_ok());
  ASSERT_TRUE(turn_until([&] { return connection->state() == ConnectionState::closed; }));
  EXPECT_EQ(completions(), (Strings{"19 -8 0  draining took too long"}));
}

TEST_F(ConnectionDrainTest, QueuesAreWaitedFor) {
  connect();
  completions();
  const std::unique_ptr<Subscription> subscription = subscribe("a");
  said();
  ASSERT_TRUE(connection->drain_start(-1).is_ok());
  server->say("MSG a 1 4\r\nlast\r\nPONG\r\n");
  EXPECT_EQ(said(), "UNSUB 1\r\nPING\r\n");
  const int64_t until = clock.monotonic_ns() + 60 * ns_per_ms;  // Three looks.
  turn_until([&] { return clock.monotonic_ns() > until; });
  EXPECT_EQ(said(), "") << "the message is still in the queue";
  EXPECT_EQ(completions(), (Strings{"1 0 1 a last", "5 0 1 a "}));
  ASSERT_TRUE(turn_until([&] { return server->hear() == "PING\r\n"; }));
  server->say("PONG\r\n");
  EXPECT_EQ(completions(), (Strings{"19 0 0  drained"}));
}

TEST_F(ConnectionDrainTest, WithoutMemoryItStaysAsItIs) {
  connect();
  const std::unique_ptr<Subscription> subscription = subscribe("a");
  said();
  completions();
  int64_t failures = 0;
  for (bool has_failed = true; has_failed; ++failures) {
    test::fail_allocation_after(failures);
    const Status status = connection->drain_start(-1);
    has_failed = test::stop_failing_allocations();
    EXPECT_EQ(status.code(), has_failed ? ErrorCode::out_of_memory : ErrorCode::ok) << failures;
    EXPECT_EQ(said(), has_failed ? "" : "UNSUB 1\r\nPING\r\n") << failures;
    ASSERT_EQ(connection->state(),
              has_failed ? ConnectionState::connected : ConnectionState::draining);
  }
  EXPECT_GT(failures, 3);  // A task, a line, a list, a ping.
  server->say("PONG\r\n");
  EXPECT_EQ(completions(), (Strings{"5 0 1 a "}));
}

TEST_F(ConnectionDrainTest, OnlyAConnectedOneDrains) {
  make();
  EXPECT_EQ(connection->drain_start(-1).code(), ErrorCode::disconnected);
  ASSERT_TRUE(connection->close().is_ok());
  EXPECT_EQ(connection->drain_start(-1).code(), ErrorCode::closed);
}

}  // namespace
}  // namespace martlet::client
