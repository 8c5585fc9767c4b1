// SPDX-License-Identifier: Apache-2.0
//
// Goal: the public face keeps its promises about ways to run, waiting, and the end of things in any
// order. Method: the scripted server, turned by a thread where the client waits.
#include "client/connection.hpp"

#include <thread>

#include "tests/unit/client/fake_server.hpp"

namespace martlet::client {
namespace {

// Answers every PING, as the least that a server does, until it is told to stop.
class AnsweringServer {
 public:
  explicit AnsweringServer(std::shared_ptr<FakeServer> server) : server_(std::move(server)) {}
  ~AnsweringServer() {
    stop_ = true;
    thread_.join();
  }
  // The connector runs on the client's thread: the thread begins when the pipe is there.
  void begin() {
    thread_ = std::thread([this] {
      while (!stop_) {
        const std::string text = server_->hear();
        for (size_t at = text.find("PING\r\n"); at != std::string::npos;
             at = text.find("PING\r\n", at + 1)) {
          server_->say("PONG\r\n");
        }
        std::this_thread::sleep_for(std::chrono::microseconds(200));
      }
    });
  }

 private:
  const std::shared_ptr<FakeServer> server_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

class ConnectionTest : public FakeServerTest, public testing::WithParamInterface<RunMode> {
 protected:
  void make_waiting() {
    make();
    options.run = GetParam();
    connection = std::move(*Connection::create_in_process(server, options, queue, 9, clock));
    ASSERT_TRUE(connection->start().is_ok());
    answering.begin();
    ASSERT_TRUE(turn_until_connected());
  }
  bool turn_until_connected() {
    for (int i = 0; i < 10000 && connection->state() != ConnectionState::connected; ++i) {
      static_cast<void>(queue->poll(0, ns_per_ms).is_ok());
    }
    return connection->state() == ConnectionState::connected;
  }
  AnsweringServer answering{server};
};

TEST_P(ConnectionTest, WaitsForFlushAndRtt) {
  make_waiting();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(connection->flush(10 * ns_per_s).is_ok());
  const Result<int64_t> rtt = connection->rtt_ns(10 * ns_per_s);
  ASSERT_TRUE(rtt.is_ok());
  EXPECT_GT(*rtt, 0);
  EXPECT_FALSE(connection->descriptor().is_ok());
  EXPECT_EQ(connection->process().code(), ErrorCode::invalid_argument);
}

TEST_P(ConnectionTest, RequestWithoutAnAnswerTimesOut) {
  make_waiting();
  const Result<Batch> answer = connection->request({"svc", {}, {}, "x"}, 20 * ns_per_ms);
  ASSERT_EQ(answer.code(), ErrorCode::timeout);
  EXPECT_EQ(answer.error().context, "no answer to \"svc\" in time");
}

TEST_P(ConnectionTest, ManyThreadsWaitAtOnce) {
  make_waiting();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this] {
      for (int i = 0; i < 50; ++i) {
        EXPECT_TRUE(connection->flush(20 * ns_per_s).is_ok());
        EXPECT_TRUE(connection->publish({"a", {}, {}, "x"}).is_ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(connection->statistics().out_messages, 200);
}

TEST_P(ConnectionTest, CloseFromAnotherThreadEndsAWait) {
  make_waiting();
  std::thread closer([this] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_TRUE(connection->close().is_ok());
  });
  EXPECT_EQ(connection->request({"svc", {}, {}, "x"}, -1).code(), ErrorCode::closed);
  closer.join();
}

TEST_P(ConnectionTest, SubscriptionsMayOutliveTheirConnection) {
  make_waiting();
  const std::unique_ptr<Subscription> subscription = subscribe("a");
  connection.reset();
  EXPECT_EQ(subscription->unsubscribe().code(), ErrorCode::closed);
  EXPECT_EQ(subscription->drain().code(), ErrorCode::closed);
  EXPECT_EQ(subscription->delivered(), 0);
  queue.reset();
  EXPECT_EQ(subscription->pending_messages(), 0);
}

INSTANTIATE_TEST_SUITE_P(Ways, ConnectionTest,
                         testing::Values(RunMode::driven_by_caller, RunMode::own_thread));

using LentConnectionTest = FakeServerTest;

TEST_F(LentConnectionTest, WritesAFewAndThenNeedsItsHost) {
  connect();
  ASSERT_TRUE(connection->publish({"a", {}, {}, "x"}).is_ok());
  EXPECT_EQ(server->hear(), "PUB a 1\r\nx\r\n");
  EXPECT_FALSE(io::wait_descriptor(*connection->descriptor(), true, false, 0));
  // A few in each millisecond: more than a machine can make in that time, however slow.
  int published = 1;
  while (!io::wait_descriptor(*connection->descriptor(), true, false, 0) && published < 1'000'000) {
    for (int i = 0; i < 100; ++i, ++published) {
      ASSERT_TRUE(connection->publish({"a", {}, {}, "x"}).is_ok());
    }
  }
  EXPECT_LT(published, 1'000'000) << "the rest is written when the loop is turned: it asks for it";
  EXPECT_EQ(server->hear().find("PUB b"), std::string::npos);
  ASSERT_TRUE(connection->publish({"b", {}, {}, "x"}).is_ok());
  EXPECT_EQ(server->hear().find("PUB b"), std::string::npos);
  EXPECT_TRUE(said().ends_with("PUB b 1\r\nx\r\n"));
  EXPECT_EQ(connection->start().code(), ErrorCode::invalid_argument);
}

TEST_F(LentConnectionTest, NeverStartedConnectionEnds) {
  make();
  EXPECT_EQ(connection->state(), ConnectionState::fresh);
  EXPECT_EQ(connection->publish({"a", {}, {}, "x"}).code(), ErrorCode::ok)
      << "kept until it connects";
  connection.reset();
}

// Nobody was asked to come for it, and the turn may be the last for a long time.
TEST_F(LentConnectionTest, WritesInATurnWhatAWakeUpPublishedInIt) {
  options.pending_bytes_max = 1000;
  server->ring_bytes = 4096;
  connect();
  completions();
  for (int i = 0; i < 100; ++i) {
    if (!connection->publish({"a", {}, {}, std::string(200, 'x')}).is_ok()) break;
    turn();
  }
  bool has_published = false;
  queue->set_wake([&] {
    if (!has_published) has_published = connection->publish({"late", {}, {}, "x"}).is_ok();
  });
  ASSERT_TRUE(connection->notify_capacity(300, queue, 8).is_ok());
  for (int i = 0; i < 100 && !has_published; ++i) {
    server->hear();
    turn(1);
  }
  ASSERT_TRUE(has_published);
  server->hear();
  EXPECT_NE(server->heard.find("PUB late 1\r\nx\r\n"), std::string::npos);
  queue->set_wake(nullptr);
}

/// A client of the fake server that is turned by who waits.
class DrivenConnectionTest : public FakeServerTest {
 protected:
  DrivenConnectionTest() { options.run = RunMode::driven_by_caller; }
  void connect_driven(const QueueOptions& queue_options = {}) {
    make(queue_options);
    ASSERT_TRUE(connection->start().is_ok());
    for (int i = 0; i < 100 && server->heard.find("PING\r\n") == std::string::npos; ++i) {
      static_cast<void>(queue->poll(0, ns_per_ms).is_ok());
      server->hear();
    }
    server->say("PONG\r\n");
    ASSERT_TRUE(queue->poll(0, 10 * ns_per_s).is_ok());
  }
};

TEST_F(DrivenConnectionTest, ASpinWritesWhatItSaid) {
  QueueOptions queue_options;
  queue_options.spin_us = 10'000'000;  // It ends with what it waits for.
  connect_driven(queue_options);
  const std::unique_ptr<Subscription> subscription = subscribe("a");
  server->hear();
  server->say("PING\r\nMSG a 1 1\r\nx\r\n");
  ASSERT_TRUE(queue->poll(0, 10 * ns_per_s).is_ok());
  EXPECT_EQ(server->hear(), "PONG\r\n");
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(connection->publish({"b", {}, {}, "x"}).is_ok());
    EXPECT_EQ(server->hear(), "PUB b 1\r\nx\r\n");
  }
}

// Nobody watches the stream, so each publish looks for itself.
TEST_F(DrivenConnectionTest, WritesOnWhenTheStreamTakesMoreAgain) {
  server->ring_bytes = 4096;
  connect_driven();
  server->hear();
  for (int i = 0; i < 40; ++i)
    ASSERT_TRUE(connection->publish({"a", {}, {}, std::string(200, 'x')}).is_ok());
  EXPECT_GT(connection->statistics().pending_bytes, 0);
  for (int i = 0; i < 10 && connection->statistics().pending_bytes > 0; ++i) {
    server->hear();
    ASSERT_TRUE(connection->publish({"a", {}, {}, "x"}).is_ok());
  }
  EXPECT_EQ(connection->statistics().pending_bytes, 0);
}

using GatheringConnection = DrivenConnectionTest;

TEST_F(GatheringConnection, WaitsForAFlush) {
  options.gather = true;
  connect_driven();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(connection->publish({"a", {}, {}, "x"}).is_ok());
  EXPECT_EQ(server->hear(), "");
  EXPECT_EQ(queue->poll(0, ns_per_ms).code(), ErrorCode::again);  // A poll writes first.
  EXPECT_EQ(server->hear().size(), 10 * std::string("PUB a 1\r\nx\r\n").size());
}

using LentConnection = FakeServerTest;

// The first of a millisecond are written at once; those behind them wake the program, or, where it
// has promised to come, tell it when.
TEST_F(LentConnection, MakesPublishesReadable) {
  options.run = RunMode::lent_loop;
  connect();
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(connection->publish({"a", {}, {}, "x"}).is_ok());
  EXPECT_TRUE(io::wait_descriptor(*connection->descriptor(), true, false, 10 * ns_per_s));
  EXPECT_EQ(connection->next_timeout_ns(), 0);
}

TEST_F(LentConnection, TellsWhenGatheredPublishesAreToBeWritten) {
  options.run = RunMode::lent_loop;
  options.gather = true;
  connect();
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(connection->publish({"a", {}, {}, "x"}).is_ok());
  EXPECT_GT(connection->statistics().pending_bytes, 0);
  EXPECT_FALSE(io::wait_descriptor(*connection->descriptor(), true, false, 20 * ns_per_ms));
  const int64_t wanted_ns = connection->next_timeout_ns();
  EXPECT_GE(wanted_ns, 0);
  EXPECT_LE(wanted_ns, ns_per_ms);
  ASSERT_TRUE(connection->process().is_ok());
  EXPECT_EQ(connection->statistics().pending_bytes, 0);
  EXPECT_GT(connection->next_timeout_ns(), ns_per_ms);  // The ping.
}

}  // namespace
}  // namespace martlet::client
