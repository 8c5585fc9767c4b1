// SPDX-License-Identifier: Apache-2.0
//
// Goal: memory that cannot be had ends the work at hand and nothing else. Method: each piece of
// work is done again and again; the n-th time its n-th allocation fails (and, in a second round,
// all that follow as well), until none does. After each time the others must be served as before,
// and whatever is counted must be right. Two loops with everybody on them are turned by hand, so
// that the failing thread does nothing but the broker's work.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "base/out_of_memory.hpp"
#include "net/connection.hpp"
#include "tests/support/failing_memory.hpp"
#include "tests/unit/net/scripted_client.hpp"

namespace martlet::net {
namespace {

using Client = SessionBench::Client;

constexpr size_t wire_bytes = 512 * 1024;
const std::string quiet = "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n";
const std::string modern =
    "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,\"no_responders\":true}\r\n";

/// Needs no memory of its own.
class CountingSink final : public LogSink {
 public:
  void write(LogLevel level, std::string_view line) override {
    if (level == LogLevel::error && line.find("Out of memory") != std::string_view::npos)
      refusals += 1;
  }
  int refusals = 0;
};

/// What has come to a client, taken apart. A stream that has ended may end within an operation.
struct Heard {
  std::vector<std::string> messages;  // Subject, a blank, payload.
  int pongs = 0;
  int errors = 0;
  bool is_well_formed = true;
};

Heard hear(std::string_view text, bool may_be_cut) {
  Heard heard;
  while (!text.empty()) {
    const size_t end = text.find("\r\n");
    if (end == std::string_view::npos) break;
    const std::string line(text.substr(0, end));
    text.remove_prefix(end + 2);
    if (line.starts_with("MSG ") || line.starts_with("HMSG ")) {
      const size_t bytes = std::stoul(line.substr(line.rfind(' ')));
      if (text.size() < bytes + 2) {
        heard.is_well_formed = may_be_cut;
        return heard;
      }
      const size_t subject = line.find(' ') + 1;
      heard.messages.push_back(line.substr(subject, line.find(' ', subject) - subject) + " " +
                               std::string(text.substr(0, bytes)));
      if (text.substr(bytes, 2) != "\r\n") heard.is_well_formed = false;
      text.remove_prefix(bytes + 2);
    } else if (line == "PONG") {
      heard.pongs += 1;
    } else if (line.starts_with("-ERR ")) {
      heard.errors += 1;
    } else if (line != "+OK" && line != "PING" && !line.starts_with("INFO ")) {
      heard.is_well_formed = false;
    }
  }
  if (!text.empty() && !may_be_cut) heard.is_well_formed = false;
  return heard;
}

/// Answers each request from within its delivery.
class Answerer final : public broker::InternalHandler {
 public:
  explicit Answerer(SessionBench& bench) : bench_(bench) {
    subscription_ = bench_.worker().shard().subscribe(bench_.account(), *this, "sys.>", "");
    MARTLET_ASSERT(subscription_ != nullptr);
  }
  ~Answerer() { bench_.worker().shard().unsubscribe(bench_.account(), *subscription_); }
  void on_message(const broker::Message& request) override {
    broker::Message answer;
    answer.subject = request.reply;
    answer.payload = std::string_view(body_).substr(0, 6);
    bench_.worker().shard().publish(bench_.account(), answer);
  }

 private:
  SessionBench& bench_;
  broker::Subscription* subscription_ = nullptr;
  const std::string body_ = "answer\r\n" + std::string(64, '\0');
};

void PrintTo(const struct Work& work, std::ostream* out);

struct Work {
  const char* name = "";
  std::string before = {};  // Said by the victim while there is memory.
  std::string says = {};    // Said while there is none; ends with a PING, unless all ends by it.
  std::vector<std::string> published = {};  // What everybody who listens to by.> gets of it.
  bool ends = false;                        // The connection ends by it in any case.
  bool closes_stream = false;               // The client closes.
  bool may_lose = false;  // What the broker's own receivers publish may be lost with a log line.
  bool is_newcomer = false;
  bool needs_time = false;
  bool needs_memory = true;
};

void PrintTo(const Work& work, std::ostream* out) { *out << work.name; }

/// A broker with a victim, somebody who listens on each loop, and somebody who publishes.
class House {
 public:
  explicit House(const Work& work) : work_(work), bench_(2, {}, {}, &log_), answerer_(bench_) {
    near_ = connect(0, quiet + "SUB by.> 1\r\n");
    far_ = connect(1, quiet + "SUB by.> 1\r\n");
    publisher_ = connect(0, quiet);
    std::string group;
    for (int i = 0; i < 4; i++) group += "SUB g.* workers 2" + std::to_string(i) + "\r\n";
    far_group_ = connect(1, quiet + group);
    newcomer_ = bench_.prepare(StreamManner::whole);
    if (work_.needs_time) {
      EXPECT_TRUE(bench_.worker().set_session_options(impatient()));
    }
    victim_ = newcomer_.client;
    widen(victim_);
    if (work_.is_newcomer) return;
    adopt_newcomer();
    work_out();
    say(victim_, work_.before);
  }

  void fail(test::FailingMemory& memory) {
    victim_.wire->to_broker += work_.says;
    if (work_.closes_stream) victim_.wire->client_closed = true;
    if (work_.needs_time) bench_.let_time_pass(12'000'000);
    memory.during([&] {
      if (work_.is_newcomer) adopt_newcomer();
      work_out();
    });
    work_out();
  }

  void check(bool one_failure) {
    const bool victim_open = is_open(victim_) && !was_refused_;
    const bool near_open = is_open(near_);
    const bool far_open = is_open(far_);
    ASSERT_TRUE(is_open(publisher_));
    ASSERT_TRUE(is_open(far_group_));
    if (work_.published.empty()) {
      ASSERT_TRUE(near_open && far_open);
    }
    const int closed = !victim_open + !near_open + !far_open;
    if (one_failure) {
      ASSERT_LE(closed, 1 + (work_.ends ? 1 : 0));
    }
    if (closed > (work_.ends ? 1 : 0) && !was_refused_) {
      ASSERT_GT(log_.refusals, 0);
    }
    check_streams(victim_open, near_open, far_open);
    check_counts();
    check_others();
    ASSERT_NO_FATAL_FAILURE(check_end());
  }

 private:
  static broker::SessionOptionsSnapshot impatient() {
    broker::SessionOptions options;
    options.ping_interval_ns = 5'000'000;
    options.pings_out_max = 1000;
    return std::make_shared<const broker::SessionOptions>(options);
  }
  static void widen(Client& client) {
    client.wire->to_client.reserve(wire_bytes);
    client.wire->to_broker.reserve(wire_bytes);
  }
  Client connect(uint32_t loop, std::string_view text) {
    Client client = bench_.connect(StreamManner::whole, nullptr, nullptr, loop);
    EXPECT_EQ(bench_.say(client, text), "");
    widen(client);
    return client;
  }
  void adopt_newcomer() {
    was_refused_ = !bench_.worker(0).adopt(std::move(newcomer_.stream), std::move(newcomer_.setup));
  }
  // Enough turns for everything that is under way.
  void work_out() {
    for (int turns = 0; turns < 6; turns++) {
      bench_.turn_loops();
      for (Client* client : {&victim_, &near_, &far_, &publisher_, &far_group_}) {
        if (client->wire == nullptr || client->wire->broker_closed) continue;
        // A stream is attached by the loop only.
        if (client == &victim_ && bench_.find(victim_) == nullptr) continue;
        client->stream->turn();
      }
      bench_.turn_loops();
    }
  }
  void say(Client& client, std::string_view text) {
    client.wire->to_broker.append(text);
    work_out();
  }
  bool is_open(const Client& client) const { return !client.wire->broker_closed; }

  void check_streams(bool victim_open, bool near_open, bool far_open) {
    const Heard victim = hear(victim_.wire->to_client, !victim_open);
    EXPECT_TRUE(victim.is_well_formed) << victim_.wire->to_client.substr(0, 300);
    if (victim_open && !work_.ends) {
      EXPECT_EQ(victim.pongs, work_.before.find("PING") == std::string::npos ? 1 : 2);
    }
    for (const auto& [client, open] : {std::pair(&near_, near_open), std::pair(&far_, far_open)}) {
      const Heard heard = hear(client->wire->to_client, !open);
      EXPECT_TRUE(heard.is_well_formed) << client->wire->to_client.substr(0, 300);
      // The victim has its PONG: whoever is still there has everything it published before.
      if (open && victim_open && !work_.may_lose) {
        EXPECT_EQ(heard.messages, work_.published);
      }
      size_t next = 0;
      for (const std::string& message : heard.messages) {
        while (next < work_.published.size() && work_.published[next] != message) next += 1;
        EXPECT_LT(next, work_.published.size()) << "a message that nobody sent, or out of order";
        next += 1;
      }
    }
    for (Client* client : {&victim_, &near_, &far_, &far_group_}) client->wire->to_client.clear();
  }

  void check_counts() {
    uint64_t subscriptions = 1;  // The answerer's.
    uint64_t open = 0;
    for (uint32_t loop = 0; loop < 2; loop++) {
      uint64_t here = loop == 0 ? 1 : 0;
      bench_.worker(loop).for_each_connection([&](Connection& connection) {
        here += connection.session().subscriptions().size();
        EXPECT_FALSE(connection.session().is_closing());
        open += 1;
      });
      EXPECT_EQ(bench_.worker(loop).shard().subscription_count(), here);
      EXPECT_EQ(bench_.worker(loop).load(), bench_.worker(loop).connection_count());
      subscriptions += loop == 0 ? here - 1 : here;
    }
    EXPECT_EQ(bench_.account().routing().count(), subscriptions);
    EXPECT_EQ(open + bench_.ended_count(), was_refused_ ? 4U : 5U);
  }

  void check_others() {
    std::vector<std::string> expected;
    for (int i = 0; i < 3; i++) {
      const std::string payload = "after " + std::to_string(i);
      say(publisher_,
          "PUB by.p 7\r\n" + payload + "\r\nPUB g.x 0\r\n\r\nPUB v.a 1\r\nx\r\nPING\r\n");
      expected.push_back("by.p " + payload);
    }
    EXPECT_EQ(hear(publisher_.wire->to_client, false).pongs, 3);
    for (Client* client : {&near_, &far_}) {
      if (!is_open(*client)) continue;
      EXPECT_EQ(hear(client->wire->to_client, false).messages, expected);
    }
    EXPECT_EQ(hear(far_group_.wire->to_client, false).messages.size() + group_messages_of_victim(),
              3U);
    far_group_.wire->to_client.clear();
    Client fresh = bench_.connect(StreamManner::whole);
    EXPECT_EQ(bench_.say(fresh, quiet + "SUB by.fresh 1\r\nPUB by.fresh 2\r\nhi\r\n"),
              "MSG by.fresh 1 2\r\nhi\r\n");
    fresh.wire->client_closed = true;
    bench_.settle({&fresh});
  }
  size_t group_messages_of_victim() const {
    size_t count = 0;
    for (const std::string& message : hear(victim_.wire->to_client, true).messages)
      count += message.starts_with("g.x ") ? 1 : 0;
    return count;
  }

  void check_end() {
    if (is_open(victim_) && !was_refused_) {
      victim_.wire->client_closed = true;
      bench_.settle({&victim_});
      ASSERT_FALSE(is_open(victim_));
    }
    const uint64_t left = 1 + (is_open(near_) ? 1 : 0) + (is_open(far_) ? 1 : 0) + 4;
    EXPECT_EQ(bench_.account().routing().count(), left);
    for (Client* client : {&near_, &far_, &publisher_, &far_group_}) {
      client->wire->client_closed = true;
      work_out();
    }
    EXPECT_EQ(bench_.account().routing().count(), 1U);
    EXPECT_EQ(bench_.worker(0).connection_count() + bench_.worker(1).connection_count(), 0U);
  }

  const Work& work_;
  CountingSink log_;
  SessionBench bench_;
  Answerer answerer_;
  SessionBench::Newcomer newcomer_;
  Client victim_;
  Client near_;
  Client far_;
  Client publisher_;
  Client far_group_;
  bool was_refused_ = false;
};

std::string publish(const std::string& subject, const std::string& payload) {
  return "PUB " + subject + " " + std::to_string(payload.size()) + "\r\n" + payload + "\r\n";
}

std::string subscribe_many(int count) {
  std::string text;
  for (int i = 0; i < count; i++)
    text += "SUB v.many.and.long." + std::to_string(i) + " " + std::to_string(1000 + i) + "\r\n";
  return text;
}

const std::string ping = "PING\r\n";

void add_subscribing(std::vector<Work>& work) {
  const std::string long_subject = "v." + std::string(2000, 's');
  const std::string long_sid(200, '7');
  work.push_back({.name = "subscribe_plain", .before = quiet, .says = "SUB v.a 1\r\n" + ping});
  work.push_back({.name = "subscribe_queue", .before = quiet, .says = "SUB v.q q 1\r\n" + ping});
  work.push_back(
      {.name = "subscribe_wildcards", .before = quiet, .says = "SUB v.*.b.> 1\r\n" + ping});
  work.push_back({.name = "subscribe_long",
                  .before = quiet,
                  .says = "SUB " + long_subject + " " + long_sid + "\r\n" + ping});
  work.push_back({.name = "subscribe_many", .before = quiet, .says = subscribe_many(300) + ping});
  work.push_back({.name = "join_a_group",
                  .before = quiet,
                  .says = "SUB g.* workers 1\r\nSUB g.x workers 2\r\n" + ping});
  work.push_back({.name = "unsubscribe",
                  .before = quiet + subscribe_many(20) + "SUB v.a 1\r\nSUB g.> q 2\r\n",
                  .says = "UNSUB 1\r\nUNSUB 2\r\nUNSUB 1003\r\nUNSUB 1004 5\r\n" + ping});
}

void add_publishing(std::vector<Work>& work) {
  const std::string large(3000, 'l');
  const std::string huge(100'000, 'h');
  work.push_back(
      {.name = "publish",
       .before = quiet,
       .says = publish("by.v", "one") + publish("by.v", "two") + publish("by.v", "three") + ping,
       .published = {"by.v one", "by.v two", "by.v three"}});
  work.push_back({.name = "publish_known_subject",
                  .before = quiet + "SUB v.x 1\r\n" + publish("v.x", "") + publish("v.x", ""),
                  .says = publish("v.x", "one") + publish("v.x", "two") + ping,
                  .needs_memory = false});
  work.push_back({.name = "publish_large",
                  .before = quiet,
                  .says = publish("by.v", large) + publish("by.w", large) + ping,
                  .published = {"by.v " + large, "by.w " + large}});
  work.push_back({.name = "publish_huge",
                  .before = quiet,
                  .says = publish("by.v", huge) + ping,
                  .published = {"by.v " + huge}});
  work.push_back({.name = "publish_to_group",
                  .before = quiet + "SUB g.x workers 1\r\n",
                  .says = publish("g.y", "1") + publish("g.y", "2") + ping});
  work.push_back({.name = "ask_a_handler",
                  .before = quiet,
                  .says = "PUB sys.a by.r 2\r\nhi\r\n" + ping,
                  .published = {"by.r answer"},
                  .may_lose = true});
  work.push_back({.name = "publish_headers",
                  .before = modern,
                  .says = "HPUB by.v 18 23\r\nNATS/1.0\r\nA: b\r\n\r\n12345\r\n" + ping,
                  .published = {"by.v 12345"}});
  work.push_back({.name = "ask_nobody",
                  .before = modern + "SUB in.* 9\r\n",
                  .says = "PUB none in.1 0\r\n\r\n" + ping});
}

void add_life(std::vector<Work>& work) {
  work.push_back({.name = "accept_and_connect", .says = modern + ping, .is_newcomer = true});
  work.push_back({.name = "ping", .before = quiet, .says = ping, .needs_memory = false});
  work.push_back({.name = "be_verbose_and_pedantic",
                  .before = "CONNECT {}\r\n",
                  .says = "SUB v.a 1\r\n" + publish("v.", "x") + "SUB v..a 2\r\n" + ping});
  work.push_back(
      {.name = "connect_again",
       .before = quiet + subscribe_many(30),
       .says = "CONNECT {\"verbose\":false,\"name\":\"again\",\"lang\":\"test\"}\r\n" + ping});
  work.push_back({.name = "half_an_operation",
                  .before = quiet,
                  .says = ping + "PUB v.a 40000\r\n" + std::string(30'000, 'x')});
  work.push_back({.name = "nonsense", .before = quiet, .says = "NONSENSE\r\n", .ends = true});
  work.push_back({.name = "close_with_subscriptions",
                  .before = quiet + subscribe_many(40) + "SUB g.x workers 1\r\n",
                  .ends = true,
                  .closes_stream = true});
  work.push_back({.name = "be_asked_for_life_signs",
                  .before = quiet + ping,
                  .says = ping,
                  .needs_time = true});
}

std::vector<Work> all_work() {
  std::vector<Work> work;
  add_life(work);
  add_subscribing(work);
  add_publishing(work);
  return work;
}

class OutOfMemory : public ::testing::TestWithParam<Work> {
 protected:
  // Answers how many times memory failed.
  static int64_t sweep(const Work& work, test::Failing failing) {
    return test::fail_each_allocation(failing, [&](test::FailingMemory& memory) {
      House house(work);
      house.fail(memory);
      house.check(failing == test::Failing::once);
    });
  }
};

TEST_P(OutOfMemory, ends_the_work_at_hand_only) {
  const int64_t once = sweep(GetParam(), test::Failing::once);
  const int64_t for_good = HasFailure() ? 1 : sweep(GetParam(), test::Failing::for_good);
  EXPECT_EQ(once > 0, GetParam().needs_memory);
  EXPECT_EQ(for_good > 0, GetParam().needs_memory);
}

INSTANTIATE_TEST_SUITE_P(Work, OutOfMemory, ::testing::ValuesIn(all_work()),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace martlet::net
