// SPDX-License-Identifier: Apache-2.0
//
// Goal: a subscription says what it should, in every way that it ends, and nothing comes after
// its end. Method: a scripted server on the same thread; every byte that the client says is
// compared.
#include "client/connection_subscriptions.hpp"

#include <memory>
#include <string>
#include <vector>

#include "client/outgoing_buffer.hpp"
#include "tests/unit/client/fake_server.hpp"

namespace martlet::client {
namespace {

using Strings = std::vector<std::string>;
using ConnectionSubscriptionsTest = FakeServerTest;

TEST_F(ConnectionSubscriptionsTest, SubscribesAndDelivers) {
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

TEST_F(ConnectionSubscriptionsTest, RefusesWhatIsNoSubjectOrGroup) {
  connect();
  EXPECT_EQ(connection->subscribe("a..b", {}, {}, queue, 0).code(), ErrorCode::invalid_subject);
  EXPECT_EQ(connection->subscribe("a", "g h", {}, queue, 0).code(), ErrorCode::invalid_argument);
  EXPECT_EQ(said(), "");
}

TEST_F(ConnectionSubscriptionsTest, DrainingOneDeliversWhatIsUnderWay) {
  connect();
  completions();
  const std::unique_ptr<Subscription> subscription = subscribe("a");
  ASSERT_TRUE(subscription->drain().is_ok());
  EXPECT_EQ(said(), "SUB a 1\r\nUNSUB 1\r\nPING\r\n");
  server->say("MSG a 1 4\r\nlast\r\nPONG\r\nMSG a 1 4\r\nlate\r\n");
  EXPECT_EQ(completions(), (Strings{"1 0 1 a last", "5 0 1 a "}));
  EXPECT_EQ(subscription->drain().code(), ErrorCode::closed);
  EXPECT_EQ(connection->statistics().subscriptions, 0);
}

TEST_F(ConnectionSubscriptionsTest, AMaximumThatIsReachedAlreadyEndsAtOnce) {
  connect();
  completions();
  const std::unique_ptr<Subscription> subscription = subscribe("a");
  said();
  server->say("MSG a 1 0\r\n\r\nMSG a 1 0\r\n\r\n");
  turn();
  ASSERT_TRUE(subscription->auto_unsubscribe(2).is_ok());
  EXPECT_EQ(said(), "UNSUB 1\r\n");
  EXPECT_EQ(completions(), (Strings{"1 0 1 a ", "1 0 1 a ", "5 0 1 a "}));
  EXPECT_EQ(subscription->auto_unsubscribe(0).code(), ErrorCode::invalid_argument);
}

// The bound of one subscription stops the whole reader; its end has to let it go on.
TEST_F(ConnectionSubscriptionsTest, TheEndOfAFullOneLetsTheReaderGoOn) {
  connect();
  completions();
  const std::unique_ptr<Subscription> full =
      subscribe("full", {}, {1, 0, FullPolicy::block_reader});
  const std::unique_ptr<Subscription> other = subscribe("other");
  said();
  server->say("MSG full 1 1\r\n1\r\nMSG full 1 1\r\n2\r\nMSG other 2 1\r\n3\r\n");
  turn();
  EXPECT_EQ(other->delivered(), 0);
  ASSERT_TRUE(full->unsubscribe().is_ok());
  EXPECT_EQ(completions(), (Strings{"1 0 1 full 1", "5 0 1 full ", "1 0 2 other 3"}));
}

TEST_F(ConnectionSubscriptionsTest, ALineAboveTheServersLimitIsRefused) {
  connect();
  const std::string group(2000, 'g');
  EXPECT_EQ(connection->subscribe(std::string(2001, 's'), group, {}, queue, 0).code(),
            ErrorCode::invalid_subject);
  EXPECT_TRUE(connection->subscribe(std::string(2000, 's'), group, {}, queue, 0).is_ok());
}

TEST_F(ConnectionSubscriptionsTest, MoreThanTheServerTakesEndsTheStreamBeforeAnybodyWaits) {
  options.run = RunMode::driven_by_caller;
  options.pending_bytes_max = 1000;
  make();
  ASSERT_TRUE(connection->start().is_ok());
  static_cast<void>(queue->poll(0, 0).is_ok());
  server->say("PONG\r\n");
  ASSERT_EQ(queue->poll(0, 60 * ns_per_s)->kind(0), CompletionKind::connected);
  const std::string subject(3900, 's');
  std::vector<std::unique_ptr<Subscription>> kept;  // Nobody reads what it says, and nobody turns.
  while (connection->statistics().pending_bytes <=
         options.pending_bytes_max + OutgoingBuffer::control_bytes_max) {
    kept.push_back(subscribe(subject));
  }
  kept.push_back(subscribe(subject));
  server->is_down = true;
  const Result<Batch> told = queue->poll(0, 60 * ns_per_s);
  ASSERT_TRUE(told.is_ok());
  EXPECT_EQ(told->kind(0), CompletionKind::disconnected);
}

}  // namespace
}  // namespace martlet::client
