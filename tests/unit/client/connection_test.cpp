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

TEST_F(LentConnectionTest, NeedsItsHost) {
  connect();
  ASSERT_TRUE(connection->publish({"a", {}, {}, "x"}).is_ok());
  EXPECT_EQ(server->hear(), "") << "a lent loop writes when it is turned";
  EXPECT_TRUE(io::wait_descriptor(*connection->descriptor(), true, false, 0)) << "and asks for it";
  EXPECT_EQ(said(), "PUB a 1\r\nx\r\n");
  EXPECT_EQ(connection->start().code(), ErrorCode::invalid_argument);
}

TEST_F(LentConnectionTest, NeverStartedConnectionEnds) {
  make();
  EXPECT_EQ(connection->state(), ConnectionState::fresh);
  EXPECT_EQ(connection->publish({"a", {}, {}, "x"}).code(), ErrorCode::ok)
      << "kept until it connects";
  connection.reset();
}

TEST(GatheringConnection, WaitsForAFlush) {
  const io::SystemClock clock;
  const std::shared_ptr<FakeServer> server = std::make_shared<FakeServer>();
  ConnectionOptions options;
  options.run = RunMode::driven_by_caller;
  options.gather = true;
  const std::shared_ptr<CompletionQueue> queue = *CompletionQueue::create(clock);
  const std::unique_ptr<Connection> connection =
      std::move(*Connection::create_in_process(server, options, queue, 0, clock));
  ASSERT_TRUE(connection->start().is_ok());
  for (int i = 0; i < 100 && server->heard.find("PING\r\n") == std::string::npos; ++i) {
    static_cast<void>(queue->poll(0, ns_per_ms).is_ok());
    server->hear();
  }
  server->say("PONG\r\n");
  ASSERT_TRUE(queue->poll(0, 10 * ns_per_s).is_ok());
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(connection->publish({"a", {}, {}, "x"}).is_ok());
  EXPECT_EQ(server->hear(), "");
  EXPECT_EQ(queue->poll(0, ns_per_ms).code(), ErrorCode::again);  // A poll writes first.
  EXPECT_EQ(server->hear().size(), 10 * std::string("PUB a 1\r\nx\r\n").size());
}

}  // namespace
}  // namespace martlet::client
