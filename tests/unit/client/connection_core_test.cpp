// SPDX-License-Identifier: Apache-2.0
//
// Goal: a connection connects, is lost, restored, kept alive and closed as it should. Method: a
// scripted server on the same thread; every byte that the client says is compared.
#include "client/connection_core.hpp"

#include <pthread.h>

#include <algorithm>

#include "tests/unit/client/fake_server.hpp"

namespace martlet::client {
namespace {

using Strings = std::vector<std::string>;
class ConnectionCoreTest : public FakeServerTest {
 protected:
  /// The server finds a line too long, hangs up, and hears the client when that has come again.
  void refuse_a_line_and_come_again() {
    server->say("-ERR 'maximum control line exceeded'\r\n");
    turn();
    server->hang_up();
    ASSERT_TRUE(turn_until([&] { return connection->state() == ConnectionState::reconnecting; }));
    finish_handshake();
    said();
  }
};

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

TEST_F(ConnectionCoreTest, AServerThatLetsGoAtOnceIsLeftAloneForTheWait) {
  options.reconnect_wait_ms = 300;
  connect();
  server->dials = 0;
  const int64_t start = clock.monotonic_ns();
  for (int losses = 0; losses < 3; ++losses) {
    server->hang_up();
    ASSERT_TRUE(turn_until([&] { return connection->state() == ConnectionState::reconnecting; }));
    finish_handshake();
  }
  EXPECT_EQ(server->dials, 3);
  EXPECT_GE(clock.monotonic_ns() - start, 2 * 300 * ns_per_ms);
}

TEST_F(ConnectionCoreTest, ALineThatTheServerDoesNotTakeIsNotRestoredForEver) {
  connect();
  const std::unique_ptr<Subscription> good = subscribe("good");
  const std::unique_ptr<Subscription> bad = subscribe(std::string(2000, 'b'));
  const std::unique_ptr<Subscription> later = subscribe("later");
  turn();
  completions();
  refuse_a_line_and_come_again();
  EXPECT_NE(server->heard.find("SUB good 1"), std::string::npos);
  EXPECT_NE(server->heard.find("SUB later 3"), std::string::npos);
  EXPECT_EQ(server->heard.find("SUB bbb"), std::string::npos);
  bool is_told = false;
  for (const std::string& text : completions()) is_told = is_told || text.starts_with("5 -5 2 ");
  EXPECT_TRUE(is_told);
}

TEST_F(ConnectionCoreTest, ALineThatAPublishMadeTooLongCostsNoSubscription) {
  connect();
  const std::unique_ptr<Subscription> good = subscribe("good");
  ASSERT_TRUE(connection->publish({std::string(2000, 'b'), {}, {}, {}}).is_ok());
  turn();
  refuse_a_line_and_come_again();
  EXPECT_NE(server->heard.find("SUB good 1"), std::string::npos);
}

TEST_F(ConnectionCoreTest, AReaderThatRestsForLongIsToldOf) {
  connect();
  const FeedOptions bounds{1, 0, FullPolicy::block_reader};
  const std::shared_ptr<CompletionQueue> unread = *CompletionQueue::create(clock);
  const std::unique_ptr<Subscription> slow =
      std::move(*connection->subscribe("s", {}, bounds, unread, 5));
  turn();
  completions();
  server->say("MSG s 1 1\r\n1\r\nMSG s 1 1\r\n2\r\n");
  EXPECT_EQ(completions(), Strings{}) << "a short rest is no matter";
  Strings seen;
  ASSERT_TRUE(turn_until([&] {
    for (const std::string& text : completions()) seen.push_back(text);
    return !seen.empty();
  }));
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_TRUE(seen[0].starts_with("6 -18 1  subscription 1 has no room")) << seen[0];
  server->hang_up();
  ASSERT_TRUE(connection->publish({"p", {}, {}, {}}).is_ok());
  seen = completions();  // The write fails: nobody reads.
  ASSERT_GE(seen.size(), 2u);
  EXPECT_TRUE(seen[0].starts_with("6 -18 1 ")) << seen[0];
  EXPECT_TRUE(seen[1].starts_with("17 -11 ")) << seen[1];
}

TEST_F(ConnectionCoreTest, WithoutAThreadItStaysAsItWas) {
  options.run = RunMode::own_thread;
  queue = *CompletionQueue::create(clock);
  connection = std::move(*Connection::create_in_process(server, options, queue, 9, clock));
  pthread_attr_t usual;
  pthread_attr_t huge;
  ASSERT_EQ(pthread_getattr_default_np(&usual), 0);
  ASSERT_EQ(pthread_attr_init(&huge), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&huge, size_t{1} << 47), 0);  // More than there is.
  ASSERT_EQ(pthread_setattr_default_np(&huge), 0);
  const Status refused = connection->start();
  ASSERT_EQ(pthread_setattr_default_np(&usual), 0);
  pthread_attr_destroy(&huge);
  pthread_attr_destroy(&usual);
  EXPECT_EQ(refused.code(), ErrorCode::io);
  EXPECT_EQ(connection->state(), ConnectionState::fresh);
  EXPECT_EQ(server->dials, 0);
  EXPECT_TRUE(connection->start().is_ok());
  EXPECT_TRUE(connection->close().is_ok());
}

TEST_F(ConnectionCoreTest, ClosingInsideAWakeUpIsToldOnce) {
  connect();
  const std::shared_ptr<CompletionQueue> messages = *CompletionQueue::create(clock);
  messages->set_wake([this] { EXPECT_TRUE(connection->close().is_ok()); });
  const std::unique_ptr<Subscription> subscription =
      std::move(*connection->subscribe("s", {}, {}, messages, 5));
  completions();
  ASSERT_TRUE(connection->close().is_ok());
  EXPECT_EQ(completions(), (Strings{"19 0 0  closed by the program"}));
}

TEST_F(ConnectionCoreTest, AWakeUpMayCloseWhateverItTells) {
  int wake_ups = 0;
  for (int closing = 1; wake_ups == closing - 1; ++closing) {
    SCOPED_TRACE("at wake-up " + std::to_string(closing));
    server = std::make_shared<FakeServer>();
    make();
    wake_ups = 0;
    int dials = -1;
    queue->set_wake([&] {
      if (++wake_ups != closing) return;
      dials = server->dials;
      EXPECT_TRUE(connection->close().is_ok());
    });
    Strings seen;
    size_t looked_at = 0;
    int greeted = 0;
    // Does the server's part until this kind of event, or the end, was told; true: go on.
    const auto comes = [&](std::string_view kind) {
      EXPECT_TRUE(turn_until([&] {
        server->hear();
        if (server->dials != greeted && server->heard.find("PING\r\n") != std::string::npos) {
          greeted = server->dials;
          server->say("PONG\r\n");
        }
        for (const std::string& text : completions()) seen.push_back(text);
        // Several may have come in one turn.
        while (looked_at < seen.size()) {
          const std::string& text = seen[looked_at++];
          if (text.starts_with(kind) || text.starts_with("19 ")) return true;
        }
        return false;
      }));
      return connection->state() != ConnectionState::closed;
    };
    ASSERT_TRUE(connection->start().is_ok());
    bool goes_on = comes("16 ");
    if (goes_on) server->say("-ERR 'something'\r\n");
    goes_on = goes_on && comes("20 ");
    if (goes_on) server->say("INFO {\"ldm\":true,\"max_payload\":1000}\r\n");
    goes_on = goes_on && comes("22 ");
    if (goes_on) server->hang_up();
    goes_on = goes_on && comes("17 ") && comes("23 ") && comes("18 ");
    if (goes_on) {
      EXPECT_TRUE(connection->close().is_ok());
    }
    for (const std::string& text : completions()) seen.push_back(text);
    ASSERT_FALSE(seen.empty());
    EXPECT_EQ(seen.back(), "19 0 0  closed by the program");
    EXPECT_EQ(std::count(seen.begin(), seen.end(), seen.back()), 1);
    if (dials >= 0) {
      EXPECT_EQ(server->dials, dials) << "dialled when it was closed";
    }
    connection.reset();
    EXPECT_FALSE(queue->poll(0, 0).is_ok());
  }
  // The loss, the attempt and the new connection may come in one turn, with one wake-up.
  EXPECT_GE(wake_ups, 5);
}

TEST_F(ConnectionCoreTest, NothingIsToldAfterTheClosingInTheWakeUpOfALoss) {
  connect();
  completions();
  const std::shared_ptr<CompletionQueue> calls = *CompletionQueue::create(clock);
  calls->set_wake([this] { EXPECT_TRUE(connection->close().is_ok()); });
  ASSERT_TRUE(connection->request_start({"svc", {}, {}, {}}, -1, calls, 1).is_ok());
  said();
  server->hang_up();
  ASSERT_TRUE(turn_until([&] { return connection->state() == ConnectionState::closed; }));
  EXPECT_EQ(completions(), (Strings{"19 0 0  closed by the program"}));
  EXPECT_EQ(server->dials, 1);
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

TEST_F(ConnectionCoreTest, LameDuckIsTold) {
  connect();
  completions();
  server->say("INFO {\"ldm\":true,\"headers\":true,\"max_payload\":1000}\r\n");
  EXPECT_EQ(completions(), (Strings{"22 0 0  the server will stop soon"}));
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
