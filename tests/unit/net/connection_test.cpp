// SPDX-License-Identifier: Apache-2.0
//
// Goal: a session says the same whatever the stream below it is like. Method: each test runs on a
// stream that moves what there is and on one that moves one byte at a time and now and then wants
// to read first; a real worker, turned by hand.
#include "net/connection.hpp"

#include <crypt.h>
#include <gtest/gtest.h>

#include "tests/unit/net/scripted_client.hpp"

namespace martlet::net {
namespace {

constexpr const char* quiet = "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n";
constexpr const char* modern =
    "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,\"no_responders\":true}\r\n";

std::string publish_of(const std::string& subject, size_t bytes) {
  return "PUB " + subject + " " + std::to_string(bytes) + "\r\n" + std::string(bytes, 'x') + "\r\n";
}

class Session : public ::testing::TestWithParam<StreamManner> {
 protected:
  /// Of an amount that is moved byte by byte in the one case: millions of turns say nothing more.
  static size_t scaled(size_t bytes) {
    return GetParam() == StreamManner::whole ? bytes : bytes / 64;
  }
};

TEST_P(Session, delivers_to_itself_and_to_others) {
  SessionBench bench;
  auto a = bench.connect(GetParam());
  auto b = bench.connect(GetParam());
  EXPECT_EQ(bench.say(a, std::string(quiet) + "SUB foo.* 1\r\nPING\r\n"), "PONG\r\n");
  EXPECT_EQ(bench.say(b, std::string(quiet) + "PUB foo.bar 5\r\nhello\r\nPING\r\n", {&a}),
            "PONG\r\n");
  EXPECT_EQ(bench.take(a), "MSG foo.bar 1 5\r\nhello\r\n");
  EXPECT_EQ(bench.say(a, "PUB foo.x r 0\r\n\r\n"), "MSG foo.x 1 r 0\r\n\r\n");
}

TEST_P(Session, is_verbose_and_pedantic_by_default) {
  SessionBench bench;
  auto a = bench.connect(GetParam());
  EXPECT_EQ(bench.say(a, "CONNECT {}\r\nSUB a 1\r\nPUB a. 1\r\nx\r\nPING\r\nUNSUB 1\r\n"),
            "+OK\r\n+OK\r\n-ERR 'Invalid Publish Subject'\r\n+OK\r\nPONG\r\n+OK\r\n");
}

TEST_P(Session, strips_headers_for_whom_knows_none) {
  SessionBench bench;
  auto old = bench.connect(GetParam());
  auto fresh = bench.connect(GetParam());
  bench.say(old, std::string(quiet) + "SUB h 7\r\n");
  EXPECT_EQ(bench.say(fresh,
                      std::string(modern) +
                          "SUB h 8\r\nHPUB h r 18 23\r\nNATS/1.0\r\nA: b\r\n\r\n12345\r\n",
                      {&old}),
            "HMSG h 8 r 18 23\r\nNATS/1.0\r\nA: b\r\n\r\n12345\r\n");
  EXPECT_EQ(bench.take(old), "MSG h 7 r 5\r\n12345\r\n");
}

TEST_P(Session, answers_503_only_to_its_own_plain_subscription) {
  SessionBench bench;
  auto a = bench.connect(GetParam());
  EXPECT_EQ(bench.say(a, std::string(modern) + "SUB in.* 9\r\nPUB none in.1 0\r\n\r\n"),
            "HMSG in.1 9 36 36\r\nNATS/1.0 503\r\nNats-Subject: none\r\n\r\n\r\n");
  EXPECT_EQ(bench.say(a, "UNSUB 9\r\nSUB in.* q 10\r\nPUB none in.1 0\r\n\r\nPING\r\n"),
            "PONG\r\n");
}

TEST_P(Session, gives_one_member_of_a_group_each_message) {
  SessionBench bench;
  auto a = bench.connect(GetParam());
  auto b = bench.connect(GetParam());
  bench.say(a, std::string(quiet) + "SUB q.* g 1\r\n");
  bench.say(b, std::string(quiet) + "SUB q.> g 2\r\nSUB q.x g 3\r\n");
  for (int i = 0; i < 50; i++) bench.say(a, "PUB q.x 1\r\nm\r\n", {&b});
  const std::string all = bench.take(a) + bench.take(b);
  (void)all;
  const Connection* first = bench.find(a);
  const Connection* second = bench.find(b);
  ASSERT_NE(first, nullptr);
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(first->session().statistics().out_msgs + second->session().statistics().out_msgs, 50U);
  EXPECT_GT(second->session().statistics().out_msgs, 0U);
}

TEST_P(Session, ends_a_subscription_after_its_last_message) {
  SessionBench bench;
  auto a = bench.connect(GetParam());
  bench.say(a, std::string(quiet) + "SUB s 1\r\nUNSUB 1 2\r\n");
  EXPECT_EQ(bench.say(a, "PUB s 1\r\n1\r\nPUB s 1\r\n2\r\nPUB s 1\r\n3\r\nPING\r\n"),
            "MSG s 1 1\r\n1\r\nMSG s 1 1\r\n2\r\nPONG\r\n");
  EXPECT_EQ(bench.account().routing().count(), 0U);
}

TEST_P(Session, carries_large_payloads_whole) {
  SessionBench bench;
  auto a = bench.connect(GetParam());
  bench.say(a, std::string(quiet) + "SUB big 1\r\n");
  for (const size_t bytes : {1023UL, 1024UL, 20'000UL, 100'000UL}) {
    if (GetParam() == StreamManner::one_byte && bytes > 20'000)
      continue;  // Four million turns say nothing more.
    std::string payload;
    for (size_t i = 0; i < bytes; i++) payload += static_cast<char>('a' + i % 26);
    const std::string size = std::to_string(bytes);
    EXPECT_EQ(bench.say(a, "PUB big " + size + "\r\n" + payload + "\r\n"),
              "MSG big 1 " + size + "\r\n" + payload + "\r\n");
  }
}

TEST_P(Session, refuses_what_is_not_the_protocol) {
  struct Case {
    const char* sent;
    const char* answer;
  };
  const Case cases[] = {
      {"FOO\r\n", "-ERR 'Unknown Protocol Operation'\r\n"},
      {"PUB a 1\r\nxyz\r\n", "-ERR 'Unknown Protocol Operation'\r\n"},
      {"PUB a 2000000\r\n", "-ERR 'Maximum Payload Violation'\r\n"},
      {"SUB a b c d\r\n", ""},
      {"PUB a -1\r\n", ""},
      {"PUB a\r\n", ""},
      {"HPUB a 5 3\r\n", ""},
      {"CONNECT {\"verbose\":1}\r\n", ""},
      {"CONNECT {} x\r\n", ""},
      {"-ERR 'x'\r\n", ""},
  };
  for (const Case& one : cases) {
    SessionBench bench;
    auto a = bench.connect(GetParam());
    bench.say(a, quiet);
    EXPECT_EQ(bench.say(a, one.sent), one.answer) << one.sent;
    EXPECT_TRUE(a.wire->broker_closed) << one.sent;
  }
}

TEST_P(Session, wants_connect_first_where_a_password_is_set) {
  auth::AuthOptions auth;
  auth.user = "u";
  auth.password = "p";
  SessionBench bench({}, auth);
  auto wrong = bench.connect(GetParam());
  EXPECT_EQ(bench.say(wrong, "PING\r\n"), "-ERR 'Authorization Violation'\r\n");
  auto bad = bench.connect(GetParam());
  EXPECT_EQ(bench.say(bad, "CONNECT {\"user\":\"u\",\"pass\":\"x\"}\r\n"),
            "-ERR 'Authorization Violation'\r\n");
  EXPECT_TRUE(bad.wire->broker_closed);
  auto good = bench.connect(GetParam());
  EXPECT_EQ(
      bench.say(good, "CONNECT {\"user\":\"u\",\"pass\":\"p\",\"verbose\":false}\r\nPING\r\n"),
      "PONG\r\n");
}

TEST_P(Session, waits_for_a_slow_check_and_goes_on_with_what_came_behind_it) {
  auth::AuthOptions auth;
  auth.user = "u";
  crypt_data data{};
  auth.password = crypt_r("right", "$2a$04$abcdefghijklmnopqrstuu", &data);
  ASSERT_TRUE(auth::is_bcrypt(auth.password)) << auth.password;
  SessionBench bench({}, auth);
  auto good = bench.connect(GetParam());
  EXPECT_EQ(bench.say(good,
                      "CONNECT {\"user\":\"u\",\"pass\":\"right\",\"verbose\":false}\r\n"
                      "SUB a 1\r\nPUB a 2\r\nhi\r\nPING\r\n"),
            "MSG a 1 2\r\nhi\r\nPONG\r\n");
  auto bad = bench.connect(GetParam());
  EXPECT_EQ(bench.say(bad, "CONNECT {\"user\":\"u\",\"pass\":\"x\",\"verbose\":false}\r\nPING\r\n"),
            "-ERR 'Authorization Violation'\r\n");
}

TEST_P(Session, keeps_accounts_apart) {
  SessionBench bench;
  broker::Account other("OTHER", 2, 7, {});
  auto a = bench.connect(GetParam());
  auto b = bench.connect(GetParam(), &other);
  bench.say(a, std::string(quiet) + "SUB > 1\r\n");
  bench.say(b, std::string(quiet) + "SUB > 1\r\n");
  EXPECT_EQ(bench.say(a, "PUB same 1\r\na\r\n", {&b}), "MSG same 1 1\r\na\r\n");
  EXPECT_EQ(bench.take(b), "");
  EXPECT_EQ(bench.say(b, "PUB same 1\r\nb\r\n", {&a}), "MSG same 1 1\r\nb\r\n");
  EXPECT_EQ(bench.take(a), "");
  b.wire->client_closed = true;
  bench.settle({&a, &b});
}

TEST_P(Session, drops_cached_verdicts_with_the_epoch) {
  auto narrow = std::make_shared<auth::Permissions>();
  narrow->publish.allow.emplace().push_back({"ok.>", ""});
  narrow->subscribe.deny.push_back({"secret.*", ""});
  auto principal = std::make_shared<auth::Principal>();
  principal->epoch = 1;
  principal->permissions = narrow;
  SessionBench bench;
  auto a = bench.connect(GetParam(), nullptr, principal);
  bench.say(a, quiet);
  EXPECT_EQ(bench.say(a, "PUB no 0\r\n\r\nPUB ok.x 0\r\n\r\n"),
            "-ERR 'Permissions Violation for Publish to \"no\"'\r\n");
  EXPECT_EQ(bench.find(a)->session().cached_verdict_count(), 2U);
  EXPECT_EQ(bench.say(a, "SUB secret.x 1\r\n"),
            "-ERR 'Permissions Violation for Subscription to \"secret.x\"'\r\n");
  // A broader subscription stands, and what is denied inside it is held back message by message.
  bench.say(a, "SUB > 2\r\n");
  auto b = bench.connect(GetParam());
  bench.say(b, std::string(quiet) + "PUB secret.x 0\r\n\r\nPUB open 0\r\n\r\n", {&a});
  EXPECT_EQ(bench.take(a), "MSG open 2 0\r\n\r\n");

  auto wide = std::make_shared<auth::Principal>();
  wide->epoch = 2;
  bench.find(a)->session().set_principal(wide);
  EXPECT_EQ(bench.say(a, "PUB no 0\r\n\r\nPING\r\n"), "MSG no 2 0\r\n\r\nPONG\r\n");
  auto none = std::make_shared<auth::Permissions>();
  none->publish.allow.emplace();
  none->subscribe.allow.emplace();
  auto nothing = std::make_shared<auth::Principal>();
  nothing->epoch = 3;
  nothing->permissions = none;
  bench.find(a)->session().set_principal(nothing);
  EXPECT_EQ(bench.say(a, "PUB ok.x 0\r\n\r\n"),
            "-ERR 'Permissions Violation for Subscription to \">\" (sid \"2\")'\r\n"
            "-ERR 'Permissions Violation for Publish to \"ok.x\"'\r\n");
  EXPECT_EQ(bench.find(a)->session().cached_verdict_count(), 1U);
}

TEST_P(Session, feeds_an_internal_handler_without_a_socket) {
  struct Handler final : broker::InternalHandler {
    void on_message(const broker::Message& message) override {
      seen += std::string(message.subject) + "=" + std::string(message.payload) + ";";
      if (message.reply.empty()) return;
      // An answer from within a delivery goes out behind it.
      const std::string padded = std::string(message.reply) + std::string(64, '\0');
      const std::string body = "answer\r\n" + std::string(64, '\0');
      broker::Message answer;
      answer.subject = std::string_view(padded).substr(0, message.reply.size());
      answer.payload = std::string_view(body).substr(0, 6);
      shard->publish(*account, answer);
    }
    std::string seen;
    broker::Shard* shard = nullptr;
    broker::Account* account = nullptr;
  } handler;
  SessionBench bench;
  handler.shard = &bench.worker().shard();
  handler.account = &bench.account();
  broker::Subscription* subscription =
      bench.worker().shard().subscribe(bench.account(), handler, "sys.>", "");
  ASSERT_NE(subscription, nullptr);
  auto a = bench.connect(GetParam());
  EXPECT_EQ(bench.say(a, std::string(quiet) + "SUB in 1\r\nPUB sys.x in 2\r\nhi\r\n"),
            "MSG in 1 6\r\nanswer\r\n");
  EXPECT_EQ(handler.seen, "sys.x=hi;");
  bench.worker().shard().unsubscribe(bench.account(), *subscription);
  bench.say(a, "PUB sys.x 2\r\nho\r\n");
  EXPECT_EQ(handler.seen, "sys.x=hi;");
}

TEST_P(Session, closes_a_slow_consumer_and_serves_the_others) {
  broker::SessionOptions options;
  options.pending_bytes_max = static_cast<int64_t>(scaled(8 * 1024 * 1024));
  options.payload_bytes_max = 8 * 1024 * 1024;
  SessionBench bench(options);
  auto slow = bench.connect(GetParam());
  auto good = bench.connect(GetParam());
  bench.say(slow, std::string(quiet) + "SUB s 1\r\n");
  bench.say(good, std::string(quiet) + "SUB s 1\r\n");
  slow.wire->reads_nothing = true;
  const std::string message = publish_of("s", scaled(1'000'000));
  size_t received = 0;
  for (int i = 0; i < 12; i++) {
    received += bench.say(good, message, {&slow}).size();
    bench.let_time_pass(10'000'000);  // Its producer is slowed down meanwhile.
    bench.settle({&good});
    received += bench.take(good).size();
  }
  EXPECT_EQ(received, 12 * (message.size() + 2));
  EXPECT_TRUE(slow.wire->broker_closed);
  EXPECT_EQ(slow.wire->to_client.find("-ERR"), std::string::npos);
  EXPECT_EQ(bench.worker().shard().statistics().slow_consumers, 1U);
}

// A wide fan-out is done a share at a time. Nobody else waits for all of it, and it stays in order.
// The publisher's stream is whole in both cases: from the other one a turn reads a byte, and so
// never more than one message.
TEST_P(Session, with_a_wide_fan_out_lets_the_others_go_between) {
  constexpr int subscriptions = 1000;
  const int messages = GetParam() == StreamManner::whole ? 300 : 60;
  for (const uint32_t receiver_loop : {0U, 1U}) {
    SessionBench bench(2);
    auto receiver = bench.connect(GetParam(), nullptr, nullptr, receiver_loop);
    auto publisher = bench.connect(StreamManner::whole);
    auto other = bench.connect(GetParam());
    std::string text(quiet);
    for (int i = 0; i < subscriptions; i++) text += "SUB q " + std::to_string(i) + "\r\n";
    bench.say(receiver, text);
    bench.say(publisher, quiet);
    bench.say(other, quiet);
    text.clear();
    for (int i = 0; i < messages; i++) {
      const std::string payload = std::to_string(1000 + i);
      text += "PUB q 4\r\n" + payload + "\r\n";
    }
    publisher.wire->to_broker = text + "PING\r\n";
    publisher.stream->turn();
    other.wire->to_broker = "PING\r\n";
    while (!other.wire->to_broker.empty()) other.stream->turn();
    bench.turn_loops();
    EXPECT_LT(bench.find(publisher)->session().statistics().in_msgs,
              static_cast<uint64_t>(messages));
    while (other.stream->turn()) continue;
    EXPECT_EQ(bench.take(other), "PONG\r\n");

    // The PONG of the publisher comes when everybody has its messages, and not before.
    std::string received;
    for (int turns = 0; turns < 100 && publisher.wire->to_client.empty(); turns++) {
      publisher.stream->turn();
      bench.turn_loops();
    }
    EXPECT_EQ(bench.take(publisher), "PONG\r\n");
    bench.settle({&receiver});  // What was handed over is in the other loop's inbox.
    received = bench.take(receiver);
    size_t at = 0;
    for (int i = 0; i < messages; i++) {
      for (int k = 0; k < subscriptions; k++) {
        const size_t next = received.find("\r\n" + std::to_string(1000 + i) + "\r\n", at);
        ASSERT_NE(next, std::string::npos) << i << " " << k;
        at = next + 4;
      }
    }
    EXPECT_EQ(received.find("\r\nMSG", at), std::string::npos);
  }
}

// As above, what is left of one read.
TEST_P(Session, drops_what_was_left_for_later_with_its_connection) {
  SessionBench bench;
  auto receiver = bench.connect(GetParam());
  auto publisher = bench.connect(StreamManner::whole);
  std::string text(quiet);
  for (int i = 0; i < 1000; i++) text += "SUB q " + std::to_string(i) + "\r\n";
  bench.say(receiver, text);
  text = quiet;
  for (int i = 0; i < 1000; i++) text += "PUB q 0\r\n\r\n";
  publisher.wire->to_broker = text;
  publisher.stream->turn();
  bench.find(publisher)->session().close(broker::CloseReason::write_error);
  bench.settle({&publisher, &receiver});
  EXPECT_TRUE(publisher.wire->broker_closed);
  EXPECT_EQ(bench.say(receiver, "PING\r\n").substr(0, 8), "MSG q 0 ");
  EXPECT_EQ(bench.say(receiver, "PING\r\n"), "PONG\r\n");
}

// With no_fast_producer_stall a receiver that is behind stays, and messages pass it by.
TEST_P(Session, is_passed_by_until_it_has_caught_up) {
  broker::SessionOptions options;
  options.pending_bytes_max = static_cast<int64_t>(scaled(4 * 1024 * 1024));
  options.stalls_producers = false;
  SessionBench bench(options);
  auto slow = bench.connect(GetParam());
  auto good = bench.connect(GetParam());
  bench.say(slow, std::string(quiet) + "SUB s 1\r\n");
  bench.say(good, std::string(quiet) + "SUB s 1\r\nSUB s g 2\r\n");
  bench.say(slow, "SUB s g 2\r\n");
  slow.wire->reads_nothing = true;
  const std::string message = publish_of("s", scaled(100'000));
  for (int i = 0; i < 100; i++) bench.say(good, message, {&slow});
  EXPECT_FALSE(slow.wire->broker_closed);
  EXPECT_EQ(bench.worker().shard().statistics().slow_consumers, 0U);
  EXPECT_EQ(bench.find(good)->session().statistics().stalls, 0U);
  // What one got of the group the other did not.
  const uint64_t to_good = bench.find(good)->session().statistics().out_msgs;
  const uint64_t to_slow = bench.find(slow)->session().statistics().out_msgs;
  EXPECT_GE(to_slow, 31U);  // Up to three quarters of what may wait.
  EXPECT_LE(to_slow, 33U);
  EXPECT_EQ(bench.find(good)->session().statistics().in_msgs, 100U);
  EXPECT_GT(to_good, 100U + 60U);
  slow.wire->reads_nothing = false;
  bench.settle({&slow});
  EXPECT_EQ(bench.say(slow, "PING\r\n").substr(0, 6), "MSG s ");
  EXPECT_NE(bench.say(good, message, {&slow}), "");
  EXPECT_EQ(bench.take(slow).substr(0, 6), "MSG s ");
}

TEST_P(Session, that_is_passed_by_still_ends_where_more_would_wait_than_may) {
  broker::SessionOptions options;
  options.pending_bytes_max = static_cast<int64_t>(scaled(4 * 1024 * 1024));
  options.payload_bytes_max = static_cast<int64_t>(scaled(4 * 1024 * 1024));
  options.stalls_producers = false;
  SessionBench bench(options);
  auto slow = bench.connect(GetParam());
  auto good = bench.connect(GetParam());
  bench.say(slow, std::string(quiet) + "SUB s 1\r\n");
  slow.wire->reads_nothing = true;
  const std::string message = publish_of("s", scaled(3'000'000));
  bench.say(good, quiet + message, {&slow});
  EXPECT_FALSE(slow.wire->broker_closed);
  bench.say(good, message, {&slow});
  EXPECT_TRUE(slow.wire->broker_closed);
  EXPECT_EQ(bench.worker().shard().statistics().slow_consumers, 1U);
}

// What a server that stops still owes a client.
TEST_P(Session, of_a_server_that_stops_writes_its_last_output) {
  for (const bool reads_on : {true, false}) {
    SessionBench bench;
    auto one = bench.connect(GetParam());
    auto other = bench.connect(GetParam());
    bench.say(one, std::string(quiet) + "SUB s 1\r\n");
    one.wire->reads_nothing = true;
    bench.say(other, std::string(quiet) + "PUB s 5\r\nhello\r\n", {&one});
    EXPECT_EQ(bench.take(one), "");
    bench.find(one)->session().close(broker::CloseReason::server_shutdown);
    bench.turn_loops();
    EXPECT_FALSE(one.wire->broker_closed);
    if (reads_on) {
      one.wire->reads_nothing = false;
      bench.settle({&one});
      EXPECT_EQ(bench.take(one), "MSG s 1 5\r\nhello\r\n");
    } else {
      bench.let_time_pass(3'000'000'000);
      bench.turn_loops();
    }
    EXPECT_TRUE(one.wire->broker_closed);
  }
}

constexpr int64_t memory_max = 10'000'000;

TEST_P(Session, at_the_end_of_memory_first_gets_no_subscriptions) {
  const auto bench = SessionBench::with_memory(memory_max);
  auto one = bench->connect(GetParam());
  bench->budget().add(memory_max / 10 * 8);
  EXPECT_EQ(bench->say(one, std::string(quiet) + "SUB a 1\r\nPUB a 0\r\n\r\nPING\r\n"),
            "-ERR 'maximum subscriptions exceeded'\r\nPONG\r\n");
  EXPECT_EQ(bench->find(one)->session().statistics().stalls, 0U);
  bench->budget().remove(memory_max / 10 * 8);
  EXPECT_EQ(bench->say(one, "SUB a 1\r\nPUB a 0\r\n\r\n"), "MSG a 1 0\r\n\r\n");
}

// On a whole stream only: a producer waits behind what one read took, and that is a publish there
// and a byte of it on the other one.
TEST(MemoryEnd, then_producers_wait) {
  const auto bench = SessionBench::with_memory(memory_max);
  auto one = bench->connect(StreamManner::whole);
  bench->say(one, std::string(quiet) + "SUB a 1\r\n");
  bench->budget().add(memory_max / 10 * 9);
  EXPECT_EQ(bench->say(one, "PUB a 0\r\n\r\n"), "MSG a 1 0\r\n\r\n");
  EXPECT_TRUE(bench->find(one)->is_stalled());
  EXPECT_EQ(bench->say(one, "PUB a 0\r\n\r\n"), "");
  bench->budget().remove(memory_max / 10 * 9);
  bench->turn_loops();
  bench->settle({&one});
  EXPECT_EQ(bench->take(one), "MSG a 1 0\r\n\r\n");
}

// Whoever publishes does so on a whole stream, as above.
TEST_P(Session, at_the_end_of_memory_then_goes_if_it_is_behind_and_nobody_else) {
  const auto bench = SessionBench::with_memory(memory_max);
  auto slow = bench->connect(GetParam());
  auto good = bench->connect(StreamManner::whole);
  bench->say(slow, std::string(quiet) + "SUB a 1\r\n");
  bench->say(good, std::string(quiet) + "SUB a 1\r\n");
  slow.wire->reads_nothing = true;
  const std::string message = publish_of("a", 100'000);
  EXPECT_NE(bench->say(good, message, {&slow}), "");
  EXPECT_FALSE(slow.wire->broker_closed);
  bench->budget().add(memory_max);
  EXPECT_NE(bench->say(good, message, {&slow}), "");
  EXPECT_TRUE(slow.wire->broker_closed);
  EXPECT_FALSE(good.wire->broker_closed);
  EXPECT_EQ(bench->worker().shard().statistics().slow_consumers, 1U);
  bench->budget().remove(memory_max);
}

// On whole streams only, as above.
TEST(MemoryEnd, large_payloads_under_way_count_and_wait) {
  const auto bench = SessionBench::with_memory(memory_max);
  std::vector<SessionBench::Client> clients;
  const std::string most = "PUB a 1000000\r\n" + std::string(990'000, 'x');
  for (int i = 0; i < 12; i++) {
    clients.push_back(bench->connect(StreamManner::whole));
    bench->say(clients.back(), quiet + most);
    EXPECT_LT(bench->budget().bytes(), memory_max);
  }
  EXPECT_GT(bench->budget().bytes(), memory_max / 10 * 9);
  // The last ones wait, and are closed when they have waited in vain.
  ASSERT_FALSE(clients.back().wire->broker_closed);
  EXPECT_TRUE(bench->find(clients.back())->is_stalled());
  for (int i = 0; i < 300; i++) {
    bench->let_time_pass(5'000'000);
    bench->turn_loops();
    for (auto& client : clients) bench->settle({&client});
  }
  // That makes room for others.
  size_t closed = 0;
  for (const auto& client : clients) closed += client.wire->broker_closed ? 1 : 0;
  EXPECT_GT(closed, 0U);
  EXPECT_LT(closed, clients.size() / 2);
  ASSERT_FALSE(clients.front().wire->broker_closed);
  EXPECT_EQ(bench->say(clients.front(), std::string(10'000, 'x') + "\r\nPING\r\n"), "PONG\r\n");
  for (auto& client : clients) client.wire->client_closed = true;
  for (int i = 0; i < 10; i++) {
    bench->let_time_pass(5'000'000);
    bench->turn_loops();
    for (auto& client : clients) bench->settle({&client});
  }
  EXPECT_LT(bench->budget().bytes(), 4096);
}

// A loop that cannot keep up makes the producers of the others wait until it has.
// On whole streams only: what fills an inbox, 8 MiB, is many millions of turns byte by byte, and
// the receiver's stream is not looked at before they are over.
TEST(Inbox, makes_the_producers_of_other_loops_wait_as_long_as_it_takes) {
  broker::SessionOptions options;
  SessionBench bench(2, options);
  auto receiver = bench.connect(StreamManner::whole, nullptr, nullptr, 1);
  auto producer = bench.connect(StreamManner::whole);
  bench.say(receiver, std::string(quiet) + "SUB a 1\r\n");
  bench.say(producer, std::string(quiet));
  const std::string message = publish_of("a", 100'000);
  for (int i = 0; i < 200; i++) producer.wire->to_broker += message;
  const size_t all = producer.wire->to_broker.size();
  // Only its own loop turns.
  for (int i = 0; i < 3000; i++) {
    producer.stream->turn();
    bench.worker(0).loop().run_once(0);
    bench.let_time_pass(10'000'000);
  }
  EXPECT_TRUE(bench.find(producer)->is_stalled());
  const size_t taken = all - producer.wire->to_broker.size();
  EXPECT_GT(taken, Inbox::bytes_max);
  EXPECT_LT(taken, Inbox::bytes_max + 1024 * 1024);
  EXPECT_GT(bench.budget().bytes(), static_cast<int64_t>(Inbox::bytes_max));
  // The other loop wakes it.
  bench.worker(1).loop().run_once(0);
  bench.worker(0).loop().run_once(0);
  EXPECT_FALSE(bench.find(producer)->is_stalled());
  for (int i = 0; i < 1000 && !producer.wire->to_broker.empty(); i++) {
    producer.stream->turn();
    bench.turn_loops();
  }
  bench.settle({&producer, &receiver});
  EXPECT_EQ(bench.find(receiver)->session().statistics().out_msgs, 200U);
  EXPECT_LT(bench.budget().bytes(), 1024 * 1024);
}

TEST_P(Session, keeps_the_limits_of_its_account) {
  SessionBench bench;
  broker::AccountLimits limits;
  limits.connections_max = 1;
  limits.payload_bytes_max = 5;
  broker::Account small("SMALL", 2, 7, limits);
  auto one = bench.offer(GetParam(), &small);
  bench.settle({&one});
  EXPECT_NE(bench.take(one).find("\"max_payload\":5,"), std::string::npos);
  EXPECT_EQ(bench.say(one, std::string(quiet) + "PUB a 5\r\n12345\r\nPING\r\n"), "PONG\r\n");
  bench.say(one, quiet);  // The same connection still.
  auto two = bench.connect(GetParam(), &small);
  EXPECT_EQ(bench.say(two, std::string(quiet) + "PING\r\n"),
            "-ERR 'maximum account active connections exceeded'\r\n");
  EXPECT_TRUE(two.wire->broker_closed);
  EXPECT_EQ(bench.say(one, "PUB a 6\r\n123456\r\nPING\r\n"),
            "-ERR 'Maximum Payload Violation'\r\n");
  EXPECT_TRUE(one.wire->broker_closed);
  auto three = bench.connect(GetParam(), &small);
  EXPECT_EQ(bench.say(three, std::string(quiet) + "PING\r\n"), "PONG\r\n");
  three.wire->client_closed = true;
  bench.settle({&three});
}

TEST_P(Session, gives_all_memory_back) {
  SessionBench bench;
  {
    auto a = bench.connect(GetParam());
    bench.say(a, quiet);
    for (int i = 0; i < 200; i++)
      bench.say(a, "SUB f." + std::to_string(i) + " " + std::to_string(i) + "\r\n");
    bench.say(a, "PUB f.1 1\r\nx\r\n");
    EXPECT_GT(bench.budget().bytes(), 0);
    a.wire->client_closed = true;
    bench.settle({&a});
    EXPECT_TRUE(a.wire->broker_closed);
  }
  EXPECT_EQ(bench.account().routing().count(), 0U);
  EXPECT_LT(bench.budget().bytes(), 4096);
}

INSTANTIATE_TEST_SUITE_P(Streams, Session,
                         ::testing::Values(StreamManner::whole, StreamManner::one_byte),
                         [](const auto& instance) {
                           return instance.param == StreamManner::whole ? "whole" : "one_byte";
                         });

}  // namespace
}  // namespace martlet::net
