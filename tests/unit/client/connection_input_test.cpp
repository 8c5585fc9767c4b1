// SPDX-License-Identifier: Apache-2.0
//
// Goal: what the server says reaches the queues whole and in order, however it is cut; a full
// queue stops the reading and loses nothing. Method: a scripted server on the same thread; every
// byte that the client says is compared.
#include "client/connection_input.hpp"

#include "tests/unit/client/fake_server.hpp"

namespace martlet::client {
namespace {

using Strings = std::vector<std::string>;
using ConnectionInputTest = FakeServerTest;

TEST_F(ConnectionInputTest, UnderstandsBytesThatComeOneByOne) {
  connect();
  const std::unique_ptr<Subscription> subscription = subscribe("a");
  completions();
  for (const char byte :
       std::string("PING\r\nMSG a 1 3\r\nx\r\n\r\nHMSG a 1 r 12 14\r\nNATS/1.0\r\n\r\nyz\r\n")) {
    server->say({&byte, 1});
    turn(2);
  }
  EXPECT_EQ(completions(), (Strings{"1 0 1 a x\r\n", "1 0 1 a yz"}));
  EXPECT_EQ(said(), "SUB a 1\r\nPONG\r\n");
}

TEST_F(ConnectionInputTest, FullQueueStopsTheReaderAndNothingIsLost) {
  QueueOptions small;
  small.messages_max = 10;
  make(small);
  server->ring_bytes = 4096;
  ASSERT_TRUE(connection->start().is_ok());
  finish_handshake();
  const std::unique_ptr<Subscription> subscription = subscribe("a");
  turn();
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "MSG a 1 5\r\n" + std::to_string(10000 + i) + "\r\n";
  std::string_view rest = text;
  int next = 0;
  size_t unsaid_before = SIZE_MAX;
  for (int stalls = 0; stalls < 5;) {  // Without a poll the pipe fills, and stays so.
    server->say(rest);
    rest = rest.substr(rest.size() - server->unsaid);
    turn();
    stalls = rest.size() == unsaid_before ? stalls + 1 : 0;
    unsaid_before = rest.size();
  }
  EXPECT_GT(rest.size(), text.size() / 2) << "read on though the queue was full";
  ASSERT_TRUE(turn_until([&] {
    if (!rest.empty()) {
      server->say(rest);
      rest = rest.substr(rest.size() - server->unsaid);
    }
    const Result<Batch> batch = queue->poll(0, 0);
    for (int32_t i = 0; batch && i < batch->count(); ++i) {
      if (batch->kind(i) != CompletionKind::message) continue;
      EXPECT_EQ(batch->data(i), std::to_string(10000 + next));
      ++next;
    }
    return next == 20000;
  }));
}

TEST_F(ConnectionInputTest, NonsenseEndsTheStream) {
  connect();
  completions();
  server->say("MSG a 1 1\r\ntoo long\r\n");
  server->is_down = true;
  EXPECT_TRUE(
      completions()[0].starts_with("17 -17 0  the server sent a payload of another length"));
}

TEST_F(ConnectionInputTest, MessagesAboveTheBufferAreReadWhole) {
  connect();
  completions();
  const std::unique_ptr<Subscription> subscription = subscribe("a");
  const std::string data(1000 * 1000, 'x');
  const std::string text = "MSG a 1 1000000\r\n" + data + "\r\nMSG a 1 1\r\n!\r\n";
  std::string_view rest = text;
  Strings seen;
  ASSERT_TRUE(turn_until([&] {
    server->say(rest);
    rest = rest.substr(rest.size() - server->unsaid);
    for (const std::string& one : completions()) seen.push_back(one);
    return seen.size() == 2;
  }));
  EXPECT_EQ(seen, (Strings{"1 0 1 a " + data, "1 0 1 a !"}));
  EXPECT_EQ(connection->statistics().in_bytes, 1000001);
}

TEST_F(ConnectionInputTest, AWakeUpMayCloseWhereTheReadingPauses) {
  connect();
  completions();
  const FeedOptions bounds{1, 0, FullPolicy::block_reader};
  const std::shared_ptr<CompletionQueue> messages = *CompletionQueue::create(clock);
  messages->set_wake([this] { EXPECT_TRUE(connection->close().is_ok()); });
  const std::unique_ptr<Subscription> subscription =
      std::move(*connection->subscribe("a", {}, bounds, messages, 5));
  said();
  server->say("MSG a 1 1\r\n1\r\nMSG a 1 1\r\n2\r\n-ERR 'too late'\r\n");
  EXPECT_EQ(completions(), (Strings{"19 0 0  closed by the program"}));
  EXPECT_EQ(messages->poll(1, 0)->data(0), "1");
}

TEST_F(ConnectionInputTest, AWakeUpMayCloseBeforeWhatWasReadWithIt) {
  connect();
  completions();
  const std::shared_ptr<CompletionQueue> messages = *CompletionQueue::create(clock);
  messages->set_wake([this] { EXPECT_TRUE(connection->close().is_ok()); });
  const std::unique_ptr<Subscription> subscription =
      std::move(*connection->subscribe("a", {}, {}, messages, 5));
  said();
  server->say("MSG a 1 1\r\n1\r\n-ERR 'too late'\r\nINFO {\"ldm\":true}\r\n");
  EXPECT_EQ(completions(), (Strings{"19 0 0  closed by the program"}));
}

TEST_F(ConnectionInputTest, NobodyHearsOfAQueueThatIsLeft) {
  QueueOptions small;
  small.messages_max = 1;
  make(small);
  ASSERT_TRUE(connection->start().is_ok());
  finish_handshake();
  const std::unique_ptr<Subscription> subscription = subscribe("a");
  said();
  server->say("MSG a 1 1\r\n1\r\nMSG a 1 1\r\n2\r\n");
  turn();
  connection.reset();
  EXPECT_EQ(queue->poll(1, 0)->kind(0), CompletionKind::connected);
}

}  // namespace
}  // namespace martlet::client
