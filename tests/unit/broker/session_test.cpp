// SPDX-License-Identifier: Apache-2.0
//
// Goal: a session's own decisions: who may speak, when it waits, why it ends. Method: sessions
// without a connection, time as an argument. What they say over streams of every kind stands in
// tests/unit/net/connection_test.cpp.
#include "broker/session.hpp"

#include <gtest/gtest.h>

#include "bare_client.hpp"

namespace martlet::broker {
namespace {

constexpr int64_t second_ns = 1'000'000'000;
const std::string quiet = "CONNECT {\"verbose\":false}\r\n";

class KeptLines final : public LogSink {
 public:
  void write(LogLevel level, std::string_view line) override {
    if (level == LogLevel::error) lines.emplace_back(line);
  }
  std::vector<std::string> lines;
};

TEST(Session, greets_and_refuses_whom_there_is_no_room_for) {
  BareBroker broker;
  SessionSetup setup = broker.setup();
  setup.refuse = CloseReason::max_connections_exceeded;
  BareClient client(broker.shard(), std::move(setup));
  const std::string said = client.take();
  EXPECT_EQ(said.rfind("INFO {", 0), 0U) << said;
  EXPECT_TRUE(said.ends_with("-ERR 'maximum connections exceeded'\r\n")) << said;
  EXPECT_EQ(client.session().close_reason(), CloseReason::max_connections_exceeded);
  EXPECT_EQ(broker.shard().ended_sessions().size(), 1U);
}

TEST(Session, the_first_reason_to_close_stays) {
  BareBroker broker;
  auto client = broker.connect();
  client->session().close(CloseReason::stale_connection);
  client->session().close(CloseReason::write_error);
  EXPECT_EQ(client->session().close_reason(), CloseReason::stale_connection);
  EXPECT_EQ(broker.shard().ended_sessions().size(), 1U);
}

TEST(Session, nothing_is_parsed_while_a_slow_check_is_under_way) {
  auth::AuthOptions auth;
  auth.token = "$2a$04$abcdefghijklmnopqrstuuC7CIVsFxKQDuX5TN0Z7xqUIU9v5T2r.";
  ASSERT_TRUE(auth::is_bcrypt(auth.token));
  BareBroker broker({}, auth);
  auto client = broker.connect();
  EXPECT_EQ(client->say("CONNECT {\"auth_token\":\"x\",\"verbose\":false}\r\nPING\r\n"), "");
  EXPECT_EQ(client->slow_checks, 1);
  EXPECT_TRUE(client->session().is_waiting());
  EXPECT_TRUE(client->session().awaits_connect());
  auto principal = std::make_shared<auth::Principal>();
  principal->user = "somebody";
  client->session().finish_connect(principal);
  EXPECT_FALSE(client->session().awaits_connect());
  EXPECT_EQ(client->session().user(), "somebody");
  EXPECT_EQ(client->say(""), "PONG\r\n");

  auto other = broker.connect();
  (void)other->say("CONNECT {\"auth_token\":\"y\"}\r\nPING\r\n");
  other->session().finish_connect(nullptr);
  EXPECT_EQ(other->say(""), "-ERR 'Authorization Violation'\r\n");
  EXPECT_EQ(other->session().close_reason(), CloseReason::authentication_violation);
}

TEST(Session, what_others_handed_over_stands_before_a_pong) {
  BareBroker broker;
  auto client = broker.connect();
  EXPECT_EQ(client->say(quiet + "PING\r\n"), "PONG\r\n");
  EXPECT_EQ(broker.inbox_drains, 1);
}

TEST(Session, pedantic_tells_of_a_bad_subject_before_its_payload_and_once) {
  BareBroker broker;
  auto client = broker.connect();
  client->say("CONNECT {\"verbose\":false,\"pedantic\":true}\r\n");
  const std::string complaint = "-ERR 'Invalid Publish Subject'\r\n";
  EXPECT_EQ(client->say("PUB a. 2\r"), "");
  EXPECT_EQ(client->say("\n"), complaint);
  EXPECT_EQ(client->say("h"), "");
  EXPECT_EQ(client->say("i\r\nPING\r\n"), "PONG\r\n");
  EXPECT_EQ(client->say("PUB a.* 0\r\n\r\nPUB b 0\r\n\r\nPUB .b 0\r\n\r\n"), complaint + complaint);
  EXPECT_EQ(client->say("PUB a 1\r\n"), "");
  EXPECT_EQ(client->say("x\r\nPUB > 1\r\n"), complaint);
  // A CR within a subject is none of its business.
  EXPECT_EQ(client->say("x\r\nPUB fo\ro 1 2\r\nhi\r\nPING\r\n"), "PONG\r\n");
  EXPECT_EQ(client->session().statistics().in_msgs, 7U);
}

TEST(Session, a_message_between_servers_is_an_empty_one_to_nobody) {
  BareBroker broker;
  auto client = broker.connect();
  client->say("CONNECT {\"verbose\":true,\"pedantic\":true}\r\nSUB > 1\r\n");
  EXPECT_EQ(client->say("HMSG foo 1 0 0\r\n"), "");
  EXPECT_EQ(client->say("\r\nPING\r\n"), "+OK\r\nPONG\r\n");
  EXPECT_EQ(client->session().statistics().in_msgs, 1U);
}

TEST(Session, pings_that_nobody_answers_end_it) {
  SessionOptions options;
  options.ping_interval_ns = 10 * second_ns;
  options.pings_out_max = 2;
  BareBroker broker(options);
  auto client = broker.connect();
  (void)client->say(quiet + "PING\r\n", second_ns);
  client->session().on_ping_timer(5 * second_ns);
  EXPECT_EQ(client->take(), "PING\r\n") << "the first asks for the round trip";
  EXPECT_EQ(client->say("PONG\r\n", 5 * second_ns + 7), "");
  EXPECT_EQ(client->session().rtt_ns(), 7);
  client->session().on_ping_timer(6 * second_ns);
  EXPECT_EQ(client->take(), "") << "a sign of life within the interval";
  for (int i = 2; i <= 3; i++) {
    client->session().on_ping_timer(i * 10 * second_ns);
    EXPECT_EQ(client->take(), "PING\r\n");
  }
  client->session().on_ping_timer(40 * second_ns);
  EXPECT_EQ(client->take(), "-ERR 'Stale Connection'\r\n");
  EXPECT_EQ(client->session().close_reason(), CloseReason::stale_connection);
}

TEST(Session, a_subscription_of_a_full_session_is_refused_and_the_session_stays) {
  SessionOptions options;
  options.subscriptions_max = 1;
  BareBroker broker(options);
  auto client = broker.connect();
  EXPECT_EQ(client->say(quiet + "SUB a 1\r\nSUB b 2\r\nPUB b 1\r\nx\r\nPUB a 1\r\ny\r\n"),
            "-ERR 'maximum subscriptions exceeded'\r\nMSG a 1 1\r\ny\r\n");
  EXPECT_FALSE(client->session().is_closing());
  EXPECT_EQ(client->say("UNSUB 1\r\nSUB b 2\r\nPUB b 1\r\nx\r\n"), "MSG b 2 1\r\nx\r\n");
}

TEST(Session, memory_that_comes_to_its_end_refuses_subscriptions) {
  BareBroker broker({}, {}, 1000);
  auto client = broker.connect();
  (void)client->say(quiet);
  broker.budget().add(800);
  EXPECT_EQ(client->say("SUB a 1\r\n"), "-ERR 'maximum subscriptions exceeded'\r\n");
}

TEST(Session, who_does_not_read_is_asked_once_more_and_then_goes) {
  SessionOptions options;
  options.pending_bytes_max = 4000;
  BareBroker broker(options);
  auto slow = broker.connect();
  auto other = broker.connect();
  (void)slow->say(quiet + "SUB a 1\r\n");
  other->feed(quiet + "PUB a 3500\r\n" + std::string(3500, 'x') + "\r\n");
  EXPECT_EQ(slow->much_pending, 1);
  EXPECT_FALSE(slow->session().is_closing());
  EXPECT_TRUE(broker.shard().take_stall()) << "its producers should pause";
  other->feed("PUB a 3500\r\n" + std::string(3500, 'x') + "\r\n");
  EXPECT_EQ(slow->session().close_reason(), CloseReason::slow_consumer_pending_bytes);
  EXPECT_EQ(slow->take(), "");
  EXPECT_EQ(broker.shard().statistics().slow_consumers, 1U);
}

TEST(Session, its_mistakes_stand_in_the_log) {
  SessionOptions options;
  options.payload_bytes_max = 10;
  BareBroker broker(options);
  KeptLines lines;
  SessionSetup setup = broker.setup();
  setup.log = SessionLog(Logger(&lines, LogLevel::info), "L", 0);
  BareClient client(broker.shard(), std::move(setup));
  client.feed(quiet + "PUB $GR.x 1\r\nx\r\nSUB a _sys_ 1\r\nPUB a 11\r\n");
  EXPECT_EQ(lines.lines, (std::vector<std::string>{
                             R"(L - Publish Violation - Subject "$GR.x")",
                             R"(L - Subscription Violation - Subject "a", Queue: "_sys_", SID 1)",
                             "L - maximum payload exceeded: 11 vs 10"}));
}

}  // namespace
}  // namespace martlet::broker
