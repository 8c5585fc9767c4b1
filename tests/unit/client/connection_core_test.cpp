// SPDX-License-Identifier: Apache-2.0
//
// Goal: a connection says and understands what it should in every part of its life. Method: a
// scripted server on the same thread; every byte that the client says is compared.
#include "client/connection_core.hpp"

#include "tests/unit/client/fake_server.hpp"

namespace martlet::client {
namespace {

using Strings = std::vector<std::string>;
using ConnectionCoreTest = FakeServerTest;

TEST_F(ConnectionCoreTest, SubscribesAndDelivers) {
  connect();
  EXPECT_EQ(completions(), (Strings{"16 0 0  in process"}));
  const std::unique_ptr<Subscription> plain = subscribe("a.*");
  std::unique_ptr<Subscription> group = subscribe("b", "g");
  EXPECT_EQ(said(), "SUB a.* 1\r\nSUB b g 2\r\n");
  server->say(
      "MSG a.x 1 2\r\nhi\r\nMSG b 2 re 0\r\n\r\nHMSG a.y 1 12 13\r\nNATS/1.0\r\n\r\n!\r\nMSG z 99 "
      "1\r\n?\r\n");
  EXPECT_EQ(completions(), (Strings{"1 0 1 a.x hi", "1 0 2 b ", "1 0 1 a.y !"}));
  EXPECT_EQ(plain->delivered(), 2);
  ASSERT_TRUE(plain->auto_unsubscribe(3).is_ok());
  EXPECT_EQ(said(), "UNSUB 1 3\r\n");
  server->say("MSG a.z 1 0\r\n\r\nMSG a.z 1 0\r\n\r\n");
  EXPECT_EQ(completions(), (Strings{"1 0 1 a.z ", "5 0 1 a.* "}));
  group.reset();
  EXPECT_EQ(said(), "UNSUB 2\r\n");
  EXPECT_EQ(completions(), (Strings{"5 0 2 b "}));
  EXPECT_EQ(connection->statistics().in_messages, 4);
}

TEST_F(ConnectionCoreTest, UnderstandsBytesThatComeOneByOne) {
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

TEST_F(ConnectionCoreTest, PublishesWithinTheServersLimits) {
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

TEST_F(ConnectionCoreTest, RequestsShareOneInbox) {
  connect();
  completions();
  ASSERT_TRUE(connection->request_start({"svc", {}, {}, "1"}, -1, queue, 71).is_ok());
  ASSERT_TRUE(connection->request_start({"svc", {}, {}, "2"}, -1, queue, 72).is_ok());
  const std::string text = said();
  ASSERT_TRUE(text.starts_with("SUB _INBOX.")) << text;
  const std::string inbox = text.substr(4, text.find('*') - 4);
  EXPECT_EQ(text, "SUB " + inbox + "* 1\r\nPUB svc " + inbox + "1 1\r\n1\r\nPUB svc " + inbox +
                      "2 1\r\n2\r\n");
  server->say("MSG " + inbox + "2 1 3\r\ntwo\r\nMSG " + inbox + "2 1 4\r\nmore\r\nHMSG " + inbox +
              "1 1 16 16\r\n" + "NATS/1.0 503\r\n\r\n\r\nMSG " + inbox + "77 1 0\r\n\r\nMSG " +
              inbox + "! 1 0\r\n\r\n");
  EXPECT_EQ(completions(), (Strings{"2 0 0 " + inbox + "2 two", "2 -13 0 " + inbox + "1 "}));
  EXPECT_EQ(connection->statistics().subscriptions, 0) << "the inbox is ours, not the program's";
}

TEST_F(ConnectionCoreTest, FlushesAreAnsweredInOrderAndTimeOut) {
  connect();
  completions();
  ASSERT_TRUE(connection->flush_start(5 * ns_per_ms, queue, 1).is_ok());
  ASSERT_TRUE(connection->flush_start(-1, queue, 2).is_ok());
  EXPECT_EQ(said(), "PING\r\nPING\r\n");
  Strings seen;
  ASSERT_TRUE(turn_until([&] {
    for (const std::string& text : completions()) seen.push_back(text);
    return !seen.empty();
  }));
  EXPECT_EQ(seen, (Strings{"3 -8 0  "}));
  server->say("PONG\r\n");  // Of the one that gave up.
  EXPECT_EQ(completions(), Strings{});
  server->say("PONG\r\nPONG\r\n");  // One too many is no harm.
  EXPECT_EQ(completions(), (Strings{"3 0 0  "}));
}

TEST_F(ConnectionCoreTest, LostConnectionIsRestored) {
  connect();
  const std::unique_ptr<Subscription> one = subscribe("one");
  const std::unique_ptr<Subscription> two = subscribe("two", "g");
  ASSERT_TRUE(two->auto_unsubscribe(5).is_ok());
  std::unique_ptr<Subscription> gone = subscribe("gone");
  turn();
  server->say("MSG two 2 0\r\n\r\n");
  turn();
  gone.reset();
  ASSERT_TRUE(connection->flush_start(-1, queue, 3).is_ok());
  completions();
  server->hang_up();
  server->is_down = true;
  ASSERT_TRUE(turn_until([&] { return connection->state() == ConnectionState::reconnecting; }));
  ASSERT_TRUE(connection->publish({"meanwhile", {}, {}, "kept"}).is_ok());
  EXPECT_EQ(connection->flush_start(-1, queue, 4).code(), ErrorCode::disconnected);
  const Strings lost = completions();
  EXPECT_EQ(lost[0], "3 -11 0  ");
  EXPECT_EQ(lost[1], "17 -11 0  the server closed the connection");
  const std::unique_ptr<Subscription> later = subscribe("later");
  server->is_down = false;
  finish_handshake();
  const std::string restored = said();
  for (const char* line : {"SUB one 1\r\n", "SUB two g 2\r\nUNSUB 2 4\r\n", "SUB later 4\r\n"}) {
    EXPECT_NE(server->heard.find(line), std::string::npos) << line;
  }
  EXPECT_EQ(server->heard.find("gone"), std::string::npos);
  EXPECT_TRUE(server->heard.ends_with("PUB meanwhile 4\r\nkept\r\n")) << server->heard;
  EXPECT_EQ(completions().back(), "18 0 0  in process");
  EXPECT_EQ(connection->statistics().reconnects, 1);
}

TEST_F(ConnectionCoreTest, GivesUpAfterTheAttemptsAllowed) {
  options.reconnect_attempts_max = 3;
  connect();
  server->dials = 0;
  server->is_down = true;
  server->hang_up();
  ASSERT_TRUE(turn_until([&] { return connection->state() == ConnectionState::closed; }));
  EXPECT_EQ(server->dials, 3);
  EXPECT_EQ(connection->publish({"a", {}, {}, {}}).code(), ErrorCode::closed);
}

TEST_F(ConnectionCoreTest, WithoutReconnectTheFirstLossCloses) {
  options.reconnect = false;
  connect();
  const std::unique_ptr<Subscription> subscription = subscribe("a");
  completions();
  server->hang_up();
  ASSERT_TRUE(turn_until([&] { return connection->state() == ConnectionState::closed; }));
  EXPECT_EQ(completions(), (Strings{"17 -11 0  the server closed the connection", "5 -11 1 a ",
                                    "19 -11 0  the server closed the connection"}));
  EXPECT_EQ(connection->subscribe("b", {}, {}, queue, 0).code(), ErrorCode::closed);
}

TEST_F(ConnectionCoreTest, UnansweredPingsMakeItStale) {
  options.ping_interval_ms = 10;
  options.reconnect = false;
  connect();
  completions();
  ASSERT_TRUE(turn_until([&] { return connection->state() == ConnectionState::closed; }));
  EXPECT_EQ(server->hear(), "PING\r\nPING\r\n");
  EXPECT_EQ(completions()[0], "17 -16 0  2 pings were not answered");
}

TEST_F(ConnectionCoreTest, AnsweredPingsKeepItAlive) {
  options.ping_interval_ms = 10;
  connect();
  int pings = 0;
  ASSERT_TRUE(turn_until([&] {
    if (!server->hear().empty()) {
      ++pings;
      server->say("PONG\r\n");
    }
    return pings == 6;
  }));
  EXPECT_EQ(connection->state(), ConnectionState::connected);
}

TEST_F(ConnectionCoreTest, ErrorsOfTheServerAreToldAndAreReasons) {
  connect();
  completions();
  server->say("-ERR 'Permissions Violation for Publish to \"a\"'\r\n");
  EXPECT_EQ(completions(), (Strings{"20 -15 0  Permissions Violation for Publish to \"a\""}));
  server->say("-ERR 'Stale Connection'\r\n");
  server->hang_up();
  server->is_down = true;
  const Strings seen = completions();
  ASSERT_GE(seen.size(), 2u);
  EXPECT_EQ(seen[0], "20 -16 0  Stale Connection");
  EXPECT_EQ(seen[1], "17 -16 0  the server said \"Stale Connection\"");
}

TEST_F(ConnectionCoreTest, NonsenseEndsTheStream) {
  connect();
  completions();
  server->say("MSG a 1 1\r\ntoo long\r\n");
  server->is_down = true;
  EXPECT_TRUE(
      completions()[0].starts_with("17 -17 0  the server sent a payload of another length"));
}

TEST_F(ConnectionCoreTest, LameDuckIsTold) {
  connect();
  completions();
  server->say("INFO {\"ldm\":true,\"headers\":true,\"max_payload\":1000}\r\n");
  EXPECT_EQ(completions(), (Strings{"22 0 0  the server will stop soon"}));
}

TEST_F(ConnectionCoreTest, FullQueueStopsTheReaderAndNothingIsLost) {
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

TEST_F(ConnectionCoreTest, DrainEndsInOrder) {
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

TEST_F(ConnectionCoreTest, DrainThatTakesTooLongCloses) {
  connect();
  completions();
  ASSERT_TRUE(connection->drain_start(1).is_ok());
  ASSERT_TRUE(turn_until([&] { return connection->state() == ConnectionState::closed; }));
  EXPECT_EQ(completions(), (Strings{"19 -8 0  draining took too long"}));
}

TEST_F(ConnectionCoreTest, ClosingTellsEverybody) {
  connect();
  completions();
  const std::unique_ptr<Subscription> subscription = subscribe("a");
  ASSERT_TRUE(connection->request_start({"svc", {}, {}, {}}, -1, queue, 1).is_ok());
  ASSERT_TRUE(connection->flush_start(-1, queue, 2).is_ok());
  ASSERT_TRUE(connection->close().is_ok());
  Strings seen;
  for (;;) {
    const Result<Batch> batch = queue->poll(0, 0);
    if (!batch) break;
    for (int32_t i = 0; i < batch->count(); ++i) {
      seen.push_back(std::to_string(batch->descriptor(i).kind) + " " +
                     std::to_string(batch->descriptor(i).status));
    }
  }
  EXPECT_EQ(seen, (Strings{"3 -9", "2 -9", "5 0", "19 0"}));
  EXPECT_TRUE(connection->close().is_ok());
  EXPECT_EQ(connection->process().code(), ErrorCode::closed);
  server->hear();
  EXPECT_TRUE(server->client_is_gone);
}

}  // namespace
}  // namespace martlet::client
