// SPDX-License-Identifier: Apache-2.0
//
// Goal: a shard gives each message to whom it belongs, also while receivers come and go in the
// midst of it. Method: sessions without a connection and handlers of the test's own, one loop. All
// deliveries against a model: tests/fuzz/broker_fuzz.cpp; several loops:
// tests/unit/server/routing_promises_test.cpp.
#include "broker/shard.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "bare_client.hpp"

namespace martlet::broker {
namespace {

const std::string quiet = "CONNECT {\"verbose\":false}\r\n";

class Handler final : public InternalHandler {
 public:
  void on_message(const Message& message) override {
    seen += std::string(message.subject) + "=" + std::string(message.payload) + ";";
    if (then) then(message);
  }
  std::string seen;
  std::function<void(const Message&)> then;
};

bool publish(BareBroker& broker, std::string_view subject, std::string_view payload) {
  const std::string line = std::string(payload) + "\r\n";
  Message message;
  message.subject = subject;
  message.payload = std::string_view(line).substr(0, payload.size());
  return broker.shard().publish(broker.account(), message);
}

TEST(Shard, an_internal_handler_is_a_receiver_like_any_other) {
  BareBroker broker;
  Handler handler;
  Subscription* subscription = broker.shard().subscribe(broker.account(), handler, "sys.*", "");
  ASSERT_NE(subscription, nullptr);
  EXPECT_EQ(broker.shard().subscribe(broker.account(), handler, "bad..pattern", ""), nullptr);
  EXPECT_TRUE(publish(broker, "sys.a", "1"));
  EXPECT_FALSE(publish(broker, "other", "2"));
  broker.shard().unsubscribe(broker.account(), *subscription);
  EXPECT_FALSE(publish(broker, "sys.a", "3"));
  EXPECT_EQ(handler.seen, "sys.a=1;");
  broker.shard().end_turn();
  EXPECT_EQ(broker.shard().subscription_count(), 0U);
}

TEST(Shard, what_a_handler_publishes_is_delivered_after_the_delivery_under_way) {
  BareBroker broker;
  Handler first;
  Handler second;
  first.then = [&broker](const Message& message) {
    if (message.subject == "a") {
      EXPECT_TRUE(publish(broker, "b", "answer"));
    }
  };
  Subscription* one = broker.shard().subscribe(broker.account(), first, ">", "");
  Subscription* two = broker.shard().subscribe(broker.account(), second, ">", "");
  EXPECT_TRUE(publish(broker, "a", "question"));
  EXPECT_EQ(first.seen, "a=question;b=answer;");
  EXPECT_EQ(second.seen, "a=question;b=answer;") << "nobody hears the answer first";
  broker.shard().unsubscribe(broker.account(), *one);
  broker.shard().unsubscribe(broker.account(), *two);
  broker.shard().end_turn();
}

TEST(Shard, a_receiver_that_is_ended_by_a_delivery_gets_nothing_more) {
  BareBroker broker;
  Handler killer;
  Handler victim;
  std::vector<Subscription*> victims;
  killer.then = [&](const Message&) {
    for (Subscription* subscription : victims) {
      broker.shard().unsubscribe(broker.account(), *subscription);
    }
    victims.clear();
  };
  Subscription* killing = broker.shard().subscribe(broker.account(), killer, "a", "");
  for (int i = 0; i < 3; i++) {
    victims.push_back(broker.shard().subscribe(broker.account(), victim, "a", ""));
  }
  EXPECT_TRUE(publish(broker, "a", "1"));
  const std::string before = victim.seen;
  EXPECT_TRUE(publish(broker, "a", "2"));
  EXPECT_EQ(victim.seen, before);
  EXPECT_EQ(killer.seen, "a=1;a=2;");
  broker.shard().unsubscribe(broker.account(), *killing);
  broker.shard().end_turn();
}

TEST(Shard, each_message_goes_to_one_member_of_a_group_and_in_time_to_all) {
  BareBroker broker;
  std::vector<std::unique_ptr<BareClient>> members;
  for (int i = 0; i < 3; i++) {
    members.push_back(broker.connect());
    (void)members.back()->say(quiet + "SUB work workers 1\r\n");
  }
  int received = 0;
  std::vector<int> each(3);
  for (int i = 0; i < 300; i++) {
    EXPECT_TRUE(publish(broker, "work", "x"));
    for (size_t m = 0; m < members.size(); m++) {
      if (members[m]->take() == "MSG work 1 1\r\nx\r\n") each[m] += 1;
    }
  }
  for (const int count : each) {
    EXPECT_GT(count, 30);
    received += count;
  }
  EXPECT_EQ(received, 300);
}

TEST(Shard, who_wants_no_echo_gets_none_and_others_do) {
  BareBroker broker;
  auto mute = broker.connect();
  auto other = broker.connect();
  (void)other->say(quiet + "SUB a 1\r\n");
  EXPECT_EQ(mute->say("CONNECT {\"verbose\":false,\"echo\":false}\r\nSUB a 1\r\nPUB a 1\r\nx\r\n"),
            "");
  EXPECT_EQ(other->take(), "MSG a 1 1\r\nx\r\n");
}

TEST(Shard, subscriptions_of_a_session_that_ends_go_in_pieces) {
  BareBroker broker;
  auto client = broker.connect();
  (void)client->say(quiet);
  for (int i = 0; i < 25; i++) {
    (void)client->say("SUB a." + std::to_string(i) + " " + std::to_string(i) + "\r\n");
  }
  EXPECT_FALSE(broker.shard().unsubscribe_some(client->session(), 10));
  EXPECT_EQ(broker.account().routing().count(), 15U);
  EXPECT_FALSE(broker.shard().unsubscribe_some(client->session(), 10));
  EXPECT_TRUE(broker.shard().unsubscribe_some(client->session(), 10));
  EXPECT_EQ(broker.account().routing().count(), 0U);
  broker.shard().end_turn();
  EXPECT_EQ(broker.shard().subscription_count(), 0U);
}

TEST(Shard, a_reply_finds_its_plain_subscription) {
  BareBroker broker;
  auto client = broker.connect();
  (void)client->say(quiet + "SUB inbox.* 7\r\nSUB group q 8\r\n");
  const Subscription* found = broker.shard().find_plain(client->session(), "inbox.1");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->sid(), "7");
  EXPECT_EQ(broker.shard().find_plain(client->session(), "group"), nullptr);
  auto other = broker.connect();
  EXPECT_EQ(broker.shard().find_plain(other->session(), "inbox.1"), nullptr);
}

}  // namespace
}  // namespace martlet::broker
