// SPDX-License-Identifier: Apache-2.0
//
// Goal: our client works with a real server, nats-server or ours, in each of its three ways to run.
// Method: start the server given as --server PROGRAM, do what programs do, count what arrives; kill
// it and see the client come back.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <thread>

#include "client/connection.hpp"
#include "client/header_block.hpp"
#include "io/system_clock.hpp"
#include "tests/client_interop/server_process.hpp"

namespace martlet::client {
namespace {

std::string server_program;  // Set once by main().

using test::ServerProcess;
constexpr int64_t long_ns = 20 * ns_per_s;

size_t thread_count() {
  size_t count = 0;
  for ([[maybe_unused]] const auto& task : std::filesystem::directory_iterator("/proc/self/task"))
    ++count;
  return count;
}

// A connection and its queue, and the loop of a host for the lent way.
class Client {
 public:
  Client(const std::string& url, RunMode run,
         const std::function<void(ConnectionOptions&)>& adjust = {},
         const QueueOptions& queue_options = {}) {
    options = *parse_connection_options(url);
    options.run = run;
    options.reconnect_wait_ms = 50;
    options.reconnect_jitter_ms = 10;
    options.reconnect_attempts_max = -1;
    if (adjust) adjust(options);
    queue = *CompletionQueue::create(clock, queue_options);
    connection = std::move(*Connection::create(options, queue, 1000, clock));
  }
  // As a host's event loop would: wait on the descriptor, process.
  void turn(int timeout_ms) {
    if (options.run != RunMode::lent_loop) return;
    const int64_t wanted_ns = connection->next_timeout_ns();
    const int wait_ms =
        wanted_ns < 0 ? timeout_ms
                      : std::min<int>(timeout_ms, static_cast<int>(wanted_ns / ns_per_ms) + 1);
    pollfd fd{*connection->descriptor(), POLLIN, 0};
    ::poll(&fd, 1, wait_ms);
    static_cast<void>(connection->process().is_ok());  // Closed: the test sees it elsewhere.
  }
  // The next completion of a kind; others are passed over.
  bool next(CompletionKind kind, Batch* out_batch = nullptr, int32_t* out_index = nullptr) {
    const int64_t until = clock.monotonic_ns() + long_ns;
    while (clock.monotonic_ns() < until) {
      for (; at < batch.count(); ++at) {
        if (batch.kind(at) != kind) {
          seen.push_back(batch.kind(at));
          continue;
        }
        if (out_batch != nullptr) *out_batch = batch;
        if (out_index != nullptr) *out_index = at;
        ++at;
        return true;
      }
      turn(20);
      const Result<Batch> polled =
          queue->poll(0, options.run == RunMode::lent_loop ? 0 : 50 * ns_per_ms);
      if (polled) {
        batch = *polled;
        at = 0;
      }
    }
    return false;
  }
  std::string next_data(CompletionKind kind = CompletionKind::message) {
    Batch found;
    int32_t index = 0;
    return next(kind, &found, &index) ? std::string(found.data(index)) : "nothing came";
  }
  ErrorCode publish(std::string_view subject, std::string_view data, std::string_view reply = {}) {
    return connection->publish({subject, reply, {}, data}).code();
  }
  std::unique_ptr<Subscription> subscribe(std::string_view subject, std::string_view group = {},
                                          const FeedOptions& bounds = {}, int64_t cookie = 7) {
    Result<std::unique_ptr<Subscription>> made =
        connection->subscribe(subject, group, bounds, queue, cookie);
    EXPECT_TRUE(made.is_ok());
    return std::move(*made);
  }
  int drain_messages() {
    int messages = 0;
    for (;;) {
      const Result<Batch> polled = queue->poll(0, 0);
      if (!polled) return messages;
      for (int32_t i = 0; i < polled->count(); ++i)
        messages += polled->kind(i) == CompletionKind::message ? 1 : 0;
    }
  }

  io::SystemClock clock;
  ConnectionOptions options;
  std::shared_ptr<CompletionQueue> queue;
  std::unique_ptr<Connection> connection;
  Batch batch;
  int32_t at = 0;
  std::vector<CompletionKind> seen;
};

class ClientInterop : public testing::TestWithParam<RunMode> {
 protected:
  static void SetUpTestSuite() {
    server = std::make_unique<ServerProcess>(server_program, std::vector<std::string>{});
  }
  static void TearDownTestSuite() { server.reset(); }
  static std::unique_ptr<ServerProcess> server;
};
std::unique_ptr<ServerProcess> ClientInterop::server;

TEST_P(ClientInterop, ConnectsAndKnowsTheServer) {
  Client client(server->url(), GetParam(), [](ConnectionOptions& o) { o.name = "interop"; });
  EXPECT_EQ(client.connection->state(), ConnectionState::fresh);
  ASSERT_TRUE(client.connection->connect().is_ok());
  EXPECT_EQ(client.next_data(CompletionKind::connected), server->url());
  const ServerDescription about = client.connection->server();
  EXPECT_FALSE(about.server_id.empty());
  EXPECT_EQ(about.max_payload_bytes, 1048576);
  EXPECT_TRUE(about.headers);
  EXPECT_FALSE(client.connection->start().is_ok());
  const Result<int64_t> rtt = client.connection->rtt_ns(long_ns);
  ASSERT_TRUE(rtt.is_ok());
  EXPECT_GT(*rtt, 0);
  ASSERT_TRUE(client.connection->close().is_ok());
  EXPECT_TRUE(client.next(CompletionKind::closed));
  EXPECT_EQ(client.publish("a", "x"), ErrorCode::closed);
  EXPECT_EQ(client.connection->flush(long_ns).code(), ErrorCode::closed);
}

TEST_P(ClientInterop, CostsNoThreadUnlessItHasItsOwn) {
  const size_t before = thread_count();
  Client client(server->url(), GetParam());
  ASSERT_TRUE(client.connection->connect().is_ok());
  const std::unique_ptr<Subscription> subscription = client.subscribe("threads");
  client.publish("threads", "x");
  EXPECT_EQ(client.next_data(), "x");
  EXPECT_EQ(thread_count(), before + (GetParam() == RunMode::own_thread ? 1 : 0));
}

TEST_P(ClientInterop, WildcardsAndMaximum) {
  Client client(server->url(), GetParam());
  ASSERT_TRUE(client.connection->connect().is_ok());
  const std::unique_ptr<Subscription> star = client.subscribe("w.*.c", {}, {}, 1);
  const std::unique_ptr<Subscription> all = client.subscribe("w.>", {}, {}, 2);
  ASSERT_TRUE(all->auto_unsubscribe(3).is_ok());
  for (const char* subject : {"w.a.c", "w.b", "w.b.c", "w.x.y.z", "other"})
    client.publish(subject, subject);
  ASSERT_TRUE(client.connection->flush(long_ns).is_ok());
  std::string of_star;
  std::string of_all;
  for (int i = 0; i < 5; ++i) {
    Batch batch;
    int32_t index = 0;
    ASSERT_TRUE(client.next(CompletionKind::message, &batch, &index));
    EXPECT_EQ(batch.subject(index), batch.data(index));
    (batch.descriptor(index).cookie == 1 ? of_star : of_all) +=
        std::string(batch.data(index)) + " ";
  }
  EXPECT_EQ(of_star, "w.a.c w.b.c ");
  EXPECT_EQ(of_all, "w.a.c w.b w.b.c ");
  EXPECT_EQ(star->delivered(), 2);
  EXPECT_EQ(all->unsubscribe().code(), ErrorCode::closed);
}

TEST_P(ClientInterop, QueueGroupSharesTheWork) {
  Client one(server->url(), GetParam());
  Client two(server->url(), GetParam());
  ASSERT_TRUE(one.connection->connect().is_ok());
  ASSERT_TRUE(two.connection->connect().is_ok());
  const std::unique_ptr<Subscription> first = one.subscribe("work", "group");
  const std::unique_ptr<Subscription> second = two.subscribe("work", "group");
  ASSERT_TRUE(one.connection->flush(long_ns).is_ok());
  ASSERT_TRUE(two.connection->flush(long_ns).is_ok());
  for (int i = 0; i < 400; ++i) ASSERT_EQ(one.publish("work", "x"), ErrorCode::ok);
  ASSERT_TRUE(one.connection->flush(long_ns).is_ok());
  ASSERT_TRUE(two.connection->flush(long_ns).is_ok());
  EXPECT_EQ(first->delivered() + second->delivered(), 400);
  EXPECT_GT(first->delivered(), 50);
  EXPECT_GT(second->delivered(), 50);
}

TEST_P(ClientInterop, RequestReplyHeadersAndNoResponders) {
  Client service(server->url(), RunMode::own_thread);
  ASSERT_TRUE(service.connection->connect().is_ok());
  const std::unique_ptr<Subscription> requests = service.subscribe("echo");
  ASSERT_TRUE(service.connection->flush(long_ns).is_ok());
  std::thread server_thread([&] {
    for (int i = 0; i < 21; ++i) {
      Batch batch;
      int32_t index = 0;
      if (!service.next(CompletionKind::message, &batch, &index)) return;
      const Status status = service.connection->publish(
          {batch.reply(index), {}, batch.headers(index), std::string(batch.data(index)) + "!"});
      EXPECT_TRUE(status.is_ok());
    }
  });
  Client client(server->url(), GetParam());
  ASSERT_TRUE(client.connection->connect().is_ok());
  for (int i = 0; i < 20; ++i) {
    const std::string question = "q" + std::to_string(i);
    const Result<Batch> answer = client.connection->request({"echo", {}, {}, question}, long_ns);
    ASSERT_TRUE(answer.is_ok()) << answer.error().context;
    EXPECT_EQ(answer->data(0), question + "!");
  }
  HeaderBlockBuilder headers;
  ASSERT_TRUE(headers.add("Key", "a value").is_ok());
  const Result<Batch> answer =
      client.connection->request({"echo", {}, headers.text(), "h"}, long_ns);
  server_thread.join();
  ASSERT_TRUE(answer.is_ok());
  std::string_view value;
  EXPECT_TRUE(find_header(answer->headers(0), "Key", &value));
  EXPECT_EQ(value, "a value");
  EXPECT_EQ(client.connection->request({"nobody.here", {}, {}, "x"}, long_ns).code(),
            ErrorCode::no_responders);
  const std::unique_ptr<Subscription> silent = client.subscribe("silent");
  EXPECT_EQ(client.connection->request({"silent", {}, {}, "x"}, 50 * ns_per_ms).code(),
            ErrorCode::timeout);
}

TEST_P(ClientInterop, RequestsThroughTheQueue) {
  Client client(server->url(), GetParam());
  ASSERT_TRUE(client.connection->connect().is_ok());
  const std::unique_ptr<Subscription> service = client.subscribe("svc");
  ASSERT_TRUE(
      client.connection->request_start({"svc", {}, {}, "one"}, long_ns, client.queue, 41).is_ok());
  Batch batch;
  int32_t index = 0;
  ASSERT_TRUE(client.next(CompletionKind::message, &batch, &index));
  client.publish(batch.reply(index), "answer");
  ASSERT_TRUE(client.next(CompletionKind::reply, &batch, &index));
  EXPECT_EQ(batch.descriptor(index).cookie, 41);
  EXPECT_EQ(batch.descriptor(index).status, 0);
  EXPECT_EQ(batch.data(index), "answer");
  ASSERT_TRUE(
      client.connection->request_start({"nobody", {}, {}, ""}, long_ns, client.queue, 42).is_ok());
  ASSERT_TRUE(client.next(CompletionKind::reply, &batch, &index));
  EXPECT_EQ(batch.descriptor(index).status, status_number(ErrorCode::no_responders));
  ASSERT_TRUE(
      client.connection->request_start({"svc", {}, {}, "late"}, 30 * ns_per_ms, client.queue, 43)
          .is_ok());
  ASSERT_TRUE(client.next(CompletionKind::reply, &batch, &index));
  EXPECT_EQ(batch.descriptor(index).cookie, 43);
  EXPECT_EQ(batch.descriptor(index).status, status_number(ErrorCode::timeout));
  ASSERT_TRUE(client.connection->flush_start(long_ns, client.queue, 44).is_ok());
  ASSERT_TRUE(client.next(CompletionKind::flushed, &batch, &index));
  EXPECT_EQ(batch.descriptor(index).cookie, 44);
}

TEST_P(ClientInterop, ManyAnswers) {
  Client client(server->url(), GetParam());
  ASSERT_TRUE(client.connection->connect().is_ok());
  const std::unique_ptr<Subscription> service = client.subscribe("many");
  ASSERT_TRUE(
      client.connection->request_many_start({"many", {}, {}, ""}, 3, long_ns, client.queue, 5)
          .is_ok());
  Batch batch;
  int32_t index = 0;
  ASSERT_TRUE(client.next(CompletionKind::message, &batch, &index));
  const std::string reply(batch.reply(index));
  for (const char* data : {"1", "2", "3", "4"}) client.publish(reply, data);
  for (const char* data : {"1", "2", "3"}) {
    ASSERT_TRUE(client.next(CompletionKind::reply, &batch, &index));
    EXPECT_EQ(batch.data(index), data);
    EXPECT_EQ((batch.descriptor(index).flags & completion_flag_more_follows) != 0, data[0] != '3');
  }
}

TEST_P(ClientInterop, OneMebibyteAndNoMore) {
  Client client(server->url(), GetParam());
  ASSERT_TRUE(client.connection->connect().is_ok());
  const std::unique_ptr<Subscription> subscription = client.subscribe("big");
  std::string data(1048576, 'x');
  for (size_t i = 0; i < data.size(); i += 100) data[i] = static_cast<char>('a' + i % 26);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(client.publish("big", data), ErrorCode::ok);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(client.next_data() == data);
  const Status status = client.connection->publish({"big", {}, {}, data + "y"});
  EXPECT_EQ(status.code(), ErrorCode::payload_too_large);
  EXPECT_NE(status.error().context.find("1048577 > max_payload 1048576"), std::string::npos);
  EXPECT_EQ(client.publish("bad subject", ""), ErrorCode::invalid_subject);
  EXPECT_EQ(client.publish("a..b", ""), ErrorCode::invalid_subject);
  EXPECT_EQ(client.publish("a.*", ""), ErrorCode::invalid_subject);
  EXPECT_EQ(client.publish("ok", "", "no good"), ErrorCode::invalid_subject);
  EXPECT_EQ(client.connection->publish({"ok", {}, "no headers", {}}).code(),
            ErrorCode::invalid_argument);
  EXPECT_EQ(client.connection->subscribe("a b", {}, {}, client.queue, 0).code(),
            ErrorCode::invalid_subject);
  EXPECT_TRUE(client.connection->flush(long_ns).is_ok());
}

TEST_P(ClientInterop, HundredThousandMessagesInOrder) {
  QueueOptions queue_options;
  queue_options.messages_max = 5000;  // The reader is stopped again and again.
  Client client(server->url(), GetParam(), {}, queue_options);
  Client publisher(server->url(), RunMode::own_thread);
  ASSERT_TRUE(client.connection->connect().is_ok());
  ASSERT_TRUE(publisher.connection->connect().is_ok());
  const std::unique_ptr<Subscription> subscription = client.subscribe("order");
  ASSERT_TRUE(client.connection->flush(long_ns).is_ok());
  constexpr int count = 100000;
  std::thread sender([&] {
    for (int i = 0; i < count; ++i) {
      while (publisher.publish("order", std::to_string(i)) == ErrorCode::again) {
        if (!publisher.connection->wait_capacity(100, long_ns)) return;
      }
    }
  });
  for (int i = 0; i < count; ++i) {
    Batch batch;
    int32_t index = 0;
    if (!client.next(CompletionKind::message, &batch, &index) ||
        batch.data(index) != std::to_string(i)) {
      ADD_FAILURE() << "message " << i << " is missing or out of order";
      break;
    }
  }
  sender.join();
  EXPECT_EQ(subscription->delivered(), count);
  EXPECT_EQ(subscription->dropped(), 0);
}

TEST_P(ClientInterop, LonePublishLeavesWithoutAnybodyWaiting) {
  Client receiver(server->url(), RunMode::own_thread);
  Client sender(server->url(), GetParam());
  ASSERT_TRUE(receiver.connection->connect().is_ok());
  ASSERT_TRUE(sender.connection->connect().is_ok());
  const std::unique_ptr<Subscription> subscription = receiver.subscribe("lone");
  ASSERT_TRUE(receiver.connection->flush(long_ns).is_ok());
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(sender.publish("lone", std::to_string(i)), ErrorCode::ok);
    sender.turn(0);  // A lent loop is turned by its host; the others by nobody here.
  }
  for (int i = 0; i < 100; ++i) ASSERT_EQ(receiver.next_data(), std::to_string(i));
}

TEST_P(ClientInterop, SlowConsumerPolicies) {
  Client client(server->url(), GetParam());
  ASSERT_TRUE(client.connection->connect().is_ok());
  const std::unique_ptr<Subscription> refuses =
      client.subscribe("slow", {}, {10, 0, FullPolicy::refuse_new}, 1);
  const std::unique_ptr<Subscription> drops =
      client.subscribe("slow", {}, {10, 0, FullPolicy::drop_oldest}, 2);
  const std::unique_ptr<Subscription> latest =
      client.subscribe("slow", {}, {10, 0, FullPolicy::keep_latest_of_each_subject}, 3);
  for (int i = 0; i < 100; ++i) client.publish("slow", std::to_string(i));
  ASSERT_TRUE(client.connection->flush(long_ns).is_ok());
  EXPECT_EQ(refuses->dropped(), 90);
  EXPECT_EQ(drops->dropped(), 90);
  EXPECT_EQ(refuses->pending_messages(), 10);
  EXPECT_EQ(latest->pending_messages(), 1);
  std::string got[4];
  int slow = 0;
  for (;;) {
    const Result<Batch> batch = client.queue->poll(0, 0);
    if (!batch) break;
    for (int32_t i = 0; i < batch->count(); ++i) {
      const CompletionDescriptor& d = batch->descriptor(i);
      if (batch->kind(i) == CompletionKind::message)
        got[d.cookie] += std::string(batch->data(i)) + " ";
      slow += batch->kind(i) == CompletionKind::slow_consumer ? 1 : 0;
    }
  }
  EXPECT_EQ(got[1], "0 1 2 3 4 5 6 7 8 9 ");
  EXPECT_EQ(got[2], "90 91 92 93 94 95 96 97 98 99 ");
  EXPECT_EQ(got[3], "99 ");
  EXPECT_EQ(slow, 2);
}

TEST_P(ClientInterop, BackPressureNeverPassesTheBound) {
  Client client(server->url(), GetParam(),
                [](ConnectionOptions& o) { o.pending_bytes_max = 100000; });
  ASSERT_TRUE(client.connection->connect().is_ok());
  const std::string data(10000, 'x');
  int refused = 0;
  ASSERT_EQ(::kill(server->pid(), SIGSTOP), 0);  // It reads nothing, however slowly we write.
  for (int i = 0; i < 5000; ++i) {
    ErrorCode code = client.publish("pressure", data);
    if (code == ErrorCode::again) {
      ASSERT_EQ(::kill(server->pid(), SIGCONT), 0);  // Once is enough; more do nothing.
      ++refused;
      ASSERT_TRUE(client.connection->wait_capacity(10100, long_ns).is_ok());
      code = client.publish("pressure", data);
    }
    ASSERT_EQ(code, ErrorCode::ok);
    ASSERT_LE(client.connection->statistics().pending_bytes, 100000);
  }
  EXPECT_GT(refused, 0);
  ASSERT_TRUE(client.connection->notify_capacity(1000, client.queue, 77).is_ok());
  EXPECT_TRUE(client.next(CompletionKind::capacity));
  ASSERT_TRUE(client.connection->flush(long_ns).is_ok());
  EXPECT_EQ(client.connection->statistics().out_messages, 5000);
}

TEST_P(ClientInterop, DrainsSubscriptionAndConnection) {
  Client client(server->url(), GetParam());
  ASSERT_TRUE(client.connection->connect().is_ok());
  const std::unique_ptr<Subscription> first = client.subscribe("drain", {}, {}, 1);
  const std::unique_ptr<Subscription> second = client.subscribe("drain", {}, {}, 2);
  for (int i = 0; i < 100; ++i) client.publish("drain", "x");
  ASSERT_TRUE(first->drain().is_ok());
  client.publish("drain", "after");
  int messages = 0;
  Batch batch;
  int32_t index = 0;
  ASSERT_TRUE(client.next(CompletionKind::subscription_end, &batch, &index));
  EXPECT_EQ(batch.descriptor(index).cookie, 1);
  EXPECT_EQ(first->delivered(), 100);
  ASSERT_TRUE(client.connection->flush(long_ns).is_ok());
  EXPECT_EQ(second->delivered(), 101);
  ASSERT_TRUE(client.connection->drain(long_ns).is_ok());
  EXPECT_EQ(client.connection->state(), ConnectionState::closed);
  EXPECT_EQ(client.publish("x", ""), ErrorCode::closed);
  EXPECT_TRUE(client.next(CompletionKind::closed, &batch, &index));
  EXPECT_EQ(batch.descriptor(index).status, 0);
  EXPECT_EQ(messages, 0);
}

TEST_P(ClientInterop, DrainLetsTheConsumerAnswer) {
  Client client(server->url(), GetParam());
  Client other(server->url(), RunMode::own_thread);
  ASSERT_TRUE(client.connection->connect().is_ok());
  ASSERT_TRUE(other.connection->connect().is_ok());
  const std::unique_ptr<Subscription> work = client.subscribe("job");
  const std::unique_ptr<Subscription> done = other.subscribe("done");
  ASSERT_TRUE(client.connection->flush(long_ns).is_ok());
  ASSERT_TRUE(other.connection->flush(long_ns).is_ok());
  for (int i = 0; i < 50; ++i) other.publish("job", "x");
  ASSERT_TRUE(other.connection->flush(long_ns).is_ok());
  ASSERT_TRUE(client.connection->flush(long_ns).is_ok());
  ASSERT_TRUE(client.connection->drain_start(long_ns).is_ok());
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(client.next(CompletionKind::message));
    ASSERT_EQ(client.publish("done", "y"), ErrorCode::ok);
  }
  ASSERT_TRUE(client.next(CompletionKind::closed));
  for (int i = 0; i < 50; ++i) ASSERT_EQ(other.next_data(), "y");
}

TEST_P(ClientInterop, ReconnectsAfterTheServerWasKilled) {
  ServerProcess mortal(server_program, {});
  Client client(mortal.url(), GetParam());
  ASSERT_TRUE(client.connection->connect().is_ok());
  const std::unique_ptr<Subscription> subscription = client.subscribe("again");
  const std::unique_ptr<Subscription> bounded = client.subscribe("bounded", {}, {}, 2);
  ASSERT_TRUE(bounded->auto_unsubscribe(3).is_ok());
  client.publish("again", "before");
  client.publish("bounded", "1");
  EXPECT_EQ(client.next_data(), "before");
  EXPECT_EQ(client.next_data(), "1");
  mortal.kill();
  ASSERT_TRUE(client.next(CompletionKind::disconnected));
  EXPECT_EQ(client.publish("again", "meanwhile"), ErrorCode::ok);
  EXPECT_EQ(client.connection->flush(long_ns).code(), ErrorCode::disconnected);
  mortal.restart();
  ASSERT_TRUE(client.next(CompletionKind::reconnected));
  EXPECT_EQ(client.next_data(), "meanwhile");
  for (int i = 2; i <= 5; ++i) client.publish("bounded", std::to_string(i));
  EXPECT_EQ(client.next_data(), "2");
  EXPECT_EQ(client.next_data(), "3");
  ASSERT_TRUE(client.connection->flush(long_ns).is_ok());
  EXPECT_EQ(bounded->delivered(), 3);
  EXPECT_EQ(client.connection->statistics().reconnects, 1);
}

TEST_P(ClientInterop, SaysWhyItCannotConnect) {
  Client nobody("127.0.0.1:1", GetParam(),
                [](ConnectionOptions& o) { o.connect_timeout_ms = 500; });
  const Status refused = nobody.connection->connect();
  EXPECT_EQ(refused.code(), ErrorCode::no_servers);
  EXPECT_NE(refused.error().context.find("nats://127.0.0.1:1: "), std::string::npos)
      << refused.error().context;
  EXPECT_TRUE(nobody.next(CompletionKind::closed));

  ServerProcess guarded(server_program, {"--user", "derek", "--pass", "s3cret"});
  const std::string address = "127.0.0.1:" + std::to_string(guarded.port());
  Client without(address, GetParam());
  EXPECT_EQ(without.connection->connect().code(), ErrorCode::authorization);
  Client wrong("derek:no@" + address, GetParam());
  EXPECT_EQ(wrong.connection->connect().code(), ErrorCode::authorization);
  Client right("derek:s3cret@" + address, GetParam());
  EXPECT_TRUE(right.connection->connect().is_ok());
  Client by_option(address, GetParam(), [](ConnectionOptions& o) {
    o.user = "derek";
    o.password = "s3cret";
  });
  EXPECT_TRUE(by_option.connection->connect().is_ok());
  ServerProcess with_token(server_program, {"--auth", "t0ken"});
  Client token("t0ken@127.0.0.1:" + std::to_string(with_token.port()), GetParam());
  EXPECT_TRUE(token.connection->connect().is_ok());
}

TEST_P(ClientInterop, FindsServersByName) {
  const size_t before = thread_count();
  Client client("localhost:" + std::to_string(server->port()), GetParam());
  ASSERT_TRUE(client.connection->connect().is_ok());
  EXPECT_EQ(thread_count(), before + (GetParam() == RunMode::own_thread ? 1 : 0))
      << "the thread of the lookup is gone";
  Client nobody("no-such-host.invalid:4222", GetParam());
  const Status unknown = nobody.connection->connect();
  EXPECT_EQ(unknown.code(), ErrorCode::no_servers);
  EXPECT_TRUE(unknown.error().context.starts_with("nats://no-such-host.invalid:4222: "))
      << unknown.error().context;
  Client second("no-such-host.invalid:4222,localhost:" + std::to_string(server->port()), GetParam(),
                [](ConnectionOptions& o) { o.randomize_servers = false; });
  EXPECT_TRUE(second.connection->connect().is_ok());
}

TEST_P(ClientInterop, TriesTheNextServerOfTheList) {
  Client client("127.0.0.1:1," + server->url().substr(7) + ",127.0.0.1:2", GetParam());
  ASSERT_TRUE(client.connection->connect().is_ok());
  EXPECT_EQ(client.connection->server().url, server->url());
}

TEST_P(ClientInterop, WaitsForTheFirstServerWhenAsked) {
  ServerProcess late(server_program, {});
  late.kill();
  Client client(late.url(), GetParam(),
                [](ConnectionOptions& o) { o.retry_on_first_connect = true; });
  ASSERT_TRUE(client.connection->start().is_ok());
  EXPECT_EQ(client.connection->connect(1).code(), ErrorCode::invalid_argument);
  const std::unique_ptr<Subscription> subscription = client.subscribe("first");
  EXPECT_EQ(client.publish("first", "buffered"), ErrorCode::ok);
  client.turn(0);
  late.restart();
  EXPECT_EQ(client.next_data(), "buffered");
}

TEST_P(ClientInterop, ForkedChildIsInertAndTheParentGoesOn) {
  Client client(server->url(), GetParam());
  ASSERT_TRUE(client.connection->connect().is_ok());
  const std::unique_ptr<Subscription> subscription = client.subscribe("fork");
  ASSERT_TRUE(client.connection->flush(long_ns).is_ok());
  const pid_t child = fork();
  if (child == 0) {
    const bool inert = client.publish("fork", "child") == ErrorCode::forked &&
                       client.connection->flush(-1).code() == ErrorCode::forked &&
                       client.connection->close().code() == ErrorCode::forked &&
                       client.queue->poll(0, -1).code() == ErrorCode::forked;
    client.connection.reset();
    client.queue.reset();
    _exit(inert ? 0 : 1);
  }
  int state = 0;
  ASSERT_EQ(waitpid(child, &state, 0), child);
  EXPECT_EQ(WEXITSTATUS(state), 0);
  client.publish("fork", "parent");
  EXPECT_EQ(client.next_data(), "parent");
}

INSTANTIATE_TEST_SUITE_P(Ways, ClientInterop,
                         testing::Values(RunMode::driven_by_caller, RunMode::lent_loop,
                                         RunMode::own_thread),
                         [](const testing::TestParamInfo<RunMode>& param_info) {
                           switch (param_info.param) {
                             case RunMode::driven_by_caller:
                               return std::string("Driven");
                             case RunMode::lent_loop:
                               return std::string("Lent");
                             case RunMode::own_thread:
                               return std::string("OwnThread");
                           }
                           return std::string();
                         });

}  // namespace

void set_server_program(const char* program) { server_program = program; }

}  // namespace martlet::client

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc != 3 || std::strcmp(argv[1], "--server") != 0) {
    std::fprintf(stderr, "usage: client_interop --server PROGRAM\n");
    return 2;
  }
  martlet::client::set_server_program(argv[2]);
  return RUN_ALL_TESTS();
}
