// SPDX-License-Identifier: Apache-2.0
//
// Goal: our client works with a broker in the same process, without a socket, in the ways that cost
// no thread and with a thread of its own; either may end first. Method: a server object that does
// not listen, its connector, and what programs do.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "client/connection.hpp"
#include "io/system_clock.hpp"
#include "server/server.hpp"

namespace martlet::client {
namespace {

constexpr int64_t long_ns = 20 * ns_per_s;

size_t thread_count() {
  size_t count = 0;
  for ([[maybe_unused]] const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    ++count;
  }
  return count;
}

class ClientInProcess : public testing::TestWithParam<RunMode> {
 protected:
  void SetUp() override {
    server::Options server_options;
    server_options.listens = false;
    Result<std::unique_ptr<server::Server>> made =
        server::Server::create(std::move(server_options), nullptr);
    ASSERT_TRUE(made.is_ok());
    server = std::move(*made);
    ASSERT_TRUE(server->start().is_ok());
    queue = *CompletionQueue::create(clock, queue_options);
    options.run = GetParam();
    options.reconnect_wait_ms = 20;
    options.reconnect_attempts_max = -1;
  }
  std::unique_ptr<Connection> make() {
    return std::move(*Connection::create_in_process(server->connector(), options, queue, 0, clock));
  }
  bool next(CompletionKind kind, Batch* out_batch, int32_t* out_index) {
    for (;; at = 0) {
      for (; at < batch.count(); ++at) {
        if (batch.kind(at) != kind) continue;
        *out_batch = batch;
        *out_index = at++;
        return true;
      }
      Result<Batch> polled = queue->poll(0, long_ns);
      if (!polled) return false;
      batch = *polled;
    }
  }
  const io::SystemClock clock;
  QueueOptions queue_options;
  ConnectionOptions options;
  std::unique_ptr<server::Server> server;
  std::shared_ptr<CompletionQueue> queue;
  Batch batch;
  int32_t at = 0;
};

TEST_P(ClientInProcess, CarriesEverySizeAndCostsNoThread) {
  const size_t threads = thread_count();
  const std::unique_ptr<Connection> connection = make();
  ASSERT_TRUE(connection->connect().is_ok());
  std::vector<std::unique_ptr<Subscription>> others;
  for (int i = 0; i < 1000; ++i) {
    const std::string subject = "other." + std::to_string(i);
    others.push_back(std::move(*connection->subscribe(subject, {}, {}, queue, 4)));
  }
  ASSERT_TRUE(connection->flush(long_ns).is_ok());
  EXPECT_EQ(thread_count(), threads + (GetParam() == RunMode::own_thread ? 1 : 0));
  const Result<std::unique_ptr<Subscription>> subscription =
      connection->subscribe("size", {}, {}, queue, 3);
  ASSERT_TRUE(subscription.is_ok());
  for (const size_t bytes : {0, 1, 1000, 65536, 300000, 1048576}) {
    const std::string data(bytes, static_cast<char>('a' + bytes % 26));
    ASSERT_TRUE(connection->publish({"size", {}, {}, data}).is_ok());
    Batch found;
    int32_t index = 0;
    ASSERT_TRUE(next(CompletionKind::message, &found, &index));
    EXPECT_TRUE(found.data(index) == data);
  }
}

TEST_P(ClientInProcess, OrderHoldsUnderBackPressure) {
  const std::unique_ptr<Connection> connection = make();
  ASSERT_TRUE(connection->connect().is_ok());
  const Result<std::unique_ptr<Subscription>> subscription =
      connection->subscribe("order", {}, {}, queue, 3);
  ASSERT_TRUE(subscription.is_ok() && connection->flush(long_ns).is_ok());
  ConnectionOptions sender_options;
  const std::unique_ptr<Connection> sender = std::move(
      *Connection::create_in_process(server->connector(), sender_options, nullptr, 0, clock));
  ASSERT_TRUE(sender->connect().is_ok());
  constexpr int count = 200000;
  std::thread publisher([&] {
    for (int i = 0; i < count; ++i) {
      const std::string data = std::to_string(i);
      Status status = sender->publish({"order", {}, {}, data});
      while (status.code() == ErrorCode::again) {
        if (!sender->wait_capacity(100, long_ns)) return;
        status = sender->publish({"order", {}, {}, data});
      }
      if (!status) return;
    }
  });
  for (int i = 0; i < count; ++i) {
    Batch found;
    int32_t index = 0;
    if (!next(CompletionKind::message, &found, &index) || found.data(index) != std::to_string(i)) {
      ADD_FAILURE() << "message " << i << " is missing or out of order";
      break;
    }
  }
  publisher.join();
}

TEST_P(ClientInProcess, RequestsWithAndWithoutSpinning) {
  for (const int64_t spin_us : {0, 200}) {
    options.spin_us = spin_us;
    const std::unique_ptr<Connection> connection = make();
    ASSERT_TRUE(connection->connect().is_ok());
    const std::shared_ptr<CompletionQueue> service_queue = *CompletionQueue::create(clock);
    ConnectionOptions service_options;
    const std::unique_ptr<Connection> service = std::move(*Connection::create_in_process(
        server->connector(), service_options, service_queue, 0, clock));
    ASSERT_TRUE(service->connect().is_ok());
    const Result<std::unique_ptr<Subscription>> subscription =
        service->subscribe("svc", {}, {}, service_queue, 0);
    ASSERT_TRUE(subscription.is_ok() && service->flush(long_ns).is_ok());
    std::thread answering([&] {
      for (int answered = 0; answered < 300;) {
        const Result<Batch> requests = service_queue->poll(0, long_ns);
        if (!requests) return;
        for (int32_t i = 0; i < requests->count(); ++i) {
          if (requests->kind(i) != CompletionKind::message) continue;
          ++answered;
          EXPECT_TRUE(service->publish({requests->reply(i), {}, {}, requests->data(i)}).is_ok());
        }
      }
    });
    for (int i = 0; i < 300; ++i) {
      const std::string question = std::to_string(i);
      const Result<Batch> answer = connection->request({"svc", {}, {}, question}, long_ns);
      ASSERT_TRUE(answer.is_ok()) << answer.error().context;
      ASSERT_EQ(answer->data(0), question);
    }
    answering.join();
    EXPECT_EQ(connection->request({"nobody", {}, {}, {}}, long_ns).code(),
              ErrorCode::no_responders);
  }
}

TEST_P(ClientInProcess, TheBrokerMayEndFirstAndComeAgain) {
  const std::unique_ptr<Connection> connection = make();
  ASSERT_TRUE(connection->connect().is_ok());
  const Result<std::unique_ptr<Subscription>> subscription =
      connection->subscribe("again", {}, {}, queue, 3);
  ASSERT_TRUE(subscription.is_ok() && connection->flush(long_ns).is_ok());
  ASSERT_TRUE(server->stop().is_ok());
  Batch found;
  int32_t index = 0;
  ASSERT_TRUE(next(CompletionKind::disconnected, &found, &index));
  ASSERT_TRUE(connection->publish({"again", {}, {}, "meanwhile"}).is_ok());
  ASSERT_TRUE(server->start().is_ok());
  ASSERT_TRUE(next(CompletionKind::reconnected, &found, &index));
  ASSERT_TRUE(next(CompletionKind::message, &found, &index));
  EXPECT_EQ(found.data(index), "meanwhile");
  server.reset();
  ASSERT_TRUE(next(CompletionKind::disconnected, &found, &index));
  ASSERT_TRUE(connection->close().is_ok());
}

TEST_P(ClientInProcess, ManyLivesLeaveNothing) {
  size_t threads = 0;
  size_t descriptors = 0;
  for (int life = 0; life <= 110; ++life) {
    const std::unique_ptr<Connection> connection = make();
    ASSERT_TRUE(connection->connect().is_ok());
    ASSERT_TRUE(connection->flush(long_ns).is_ok());
    size_t open = 0;
    for ([[maybe_unused]] const auto& fd : std::filesystem::directory_iterator("/proc/self/fd")) {
      ++open;
    }
    if (life == 10) {
      threads = thread_count();
      descriptors = open;
    }
    // The broker lets go of its end a turn later than we do.
    if (life > 10) {
      EXPECT_LE(thread_count(), threads);
      EXPECT_LE(open, descriptors + 4);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ways, ClientInProcess,
                         testing::Values(RunMode::driven_by_caller, RunMode::own_thread),
                         [](const testing::TestParamInfo<RunMode>& way) {
                           return std::string(way.param == RunMode::own_thread ? "OwnThread"
                                                                               : "Driven");
                         });

}  // namespace
}  // namespace martlet::client
