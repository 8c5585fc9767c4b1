// SPDX-License-Identifier: Apache-2.0
//
// Goal: answers reach the call that they belong to, and calls that are too late end. Method: a
// scripted server on the same thread; every byte that the client says is compared.
#include "client/connection_calls.hpp"

#include "tests/unit/client/fake_server.hpp"

namespace martlet::client {
namespace {

using Strings = std::vector<std::string>;
using ConnectionCallsTest = FakeServerTest;

TEST_F(ConnectionCallsTest, RequestsShareOneInbox) {
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

TEST_F(ConnectionCallsTest, FlushesAreAnsweredInOrderAndTimeOut) {
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

TEST_F(ConnectionCallsTest, RequestsEndInTime) {
  connect();
  completions();
  ASSERT_TRUE(connection->request_start({"svc", {}, {}, {}}, 5 * ns_per_ms, queue, 71).is_ok());
  Strings seen;
  ASSERT_TRUE(turn_until([&] {
    for (const std::string& text : completions()) seen.push_back(text);
    return !seen.empty();
  }));
  EXPECT_EQ(seen, (Strings{"2 -8 0  "}));
}

TEST_F(ConnectionCallsTest, SoManyRequestsAndNoMore) {
  options.requests_max = 2;
  connect();
  for (int i = 0; i < 2; ++i)
    ASSERT_TRUE(connection->request_start({"svc", {}, {}, {}}, -1, queue, 71).is_ok());
  EXPECT_EQ(connection->request_start({"svc", {}, {}, {}}, -1, queue, 71).code(),
            ErrorCode::limit_reached);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(connection->flush_start(-1, queue, 1).is_ok());
  EXPECT_EQ(connection->flush_start(-1, queue, 1).code(), ErrorCode::limit_reached);
}

TEST_F(ConnectionCallsTest, ARequestThatCannotBePublishedLeavesNothingBehind) {
  options.requests_max = 1;
  connect();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(connection->request_start({"svc.*", {}, {}, {}}, -1, queue, 71).code(),
              ErrorCode::invalid_subject);
  }
  EXPECT_TRUE(connection->request_start({"svc", {}, {}, {}}, -1, queue, 71).is_ok());
}

// The SUB of the inbox waits for the publish behind it: where that is refused, others follow.
TEST_F(ConnectionCallsTest, ARefusedRequestLeavesNothingUnsent) {
  connect();
  completions();
  EXPECT_EQ(connection->request_start({"bad subject", {}, {}, {}}, -1, queue, 71).code(),
            ErrorCode::invalid_subject);
  EXPECT_TRUE(io::wait_descriptor(*connection->descriptor(), true, false, 0)) << "nobody is asked";
  ASSERT_TRUE(connection->publish({"a", {}, {}, "x"}).is_ok());
  const std::string text = said();
  EXPECT_TRUE(text.starts_with("SUB _INBOX.")) << text;
  EXPECT_TRUE(text.ends_with("\r\nPUB a 1\r\nx\r\n")) << text;
}

TEST_F(ConnectionCallsTest, ALostConnectionFailsWhatWasAskedOnIt) {
  options.reconnect_wait_ms = 1;
  connect();
  completions();
  ASSERT_TRUE(connection->request_start({"svc", {}, {}, "1"}, -1, queue, 71).is_ok());
  EXPECT_NE(said().find("PUB svc "), std::string::npos);
  server->hang_up();
  server->is_down = true;
  ASSERT_TRUE(turn_until([&] { return connection->state() == ConnectionState::reconnecting; }));
  ASSERT_TRUE(connection->request_start({"later", {}, {}, "2"}, -1, queue, 72).is_ok());
  const Strings lost = completions();
  ASSERT_GE(lost.size(), 2u);
  EXPECT_EQ(lost[0], "2 -11 0  ");
  EXPECT_TRUE(lost[1].starts_with("17 ")) << lost[1];
  server->is_down = false;
  finish_handshake();
  said();
  const size_t at = server->heard.find("PUB later ");
  ASSERT_NE(at, std::string::npos) << "what was asked meanwhile is asked now";
  const std::string inbox =
      server->heard.substr(at + 10, server->heard.find(' ', at + 10) - at - 10);
  completions();
  server->say("MSG " + inbox + " 1 2\r\nok\r\n");
  EXPECT_EQ(completions(), (Strings{"2 0 0 " + inbox + " ok"}));
}

TEST_F(ConnectionCallsTest, InboxesAreOurOwnAndNeverTheSame) {
  connect();
  const std::string first = connection->new_inbox();
  EXPECT_TRUE(first.starts_with("_INBOX."));
  EXPECT_NE(first, connection->new_inbox());
}

}  // namespace
}  // namespace martlet::client
