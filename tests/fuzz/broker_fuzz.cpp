// SPDX-License-Identifier: Apache-2.0
//
// Goal: no order of verbs from several clients makes a broker deliver a message twice, to nobody,
// to the wrong one or across accounts. Method: a broker without I/O, three clients whose verbs are
// good and whose deliveries a slow model foretells, and a fourth in an account of its own that says
// whatever the input says. Each two or more bytes of the input are one step.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.hpp"
#include "broker/session.hpp"
#include "broker/shard.hpp"
#include "client/server_parser.hpp"
#include "subject/subject.hpp"

namespace {

using namespace martlet;
using namespace martlet::broker;

constexpr size_t steps_max = 400;
constexpr size_t clients = 3;

/// What the model knows of one subscription.
struct Expectation {
  std::string pattern;
  std::string group;
  int64_t delivered = 0;
  int64_t max = 0;  // 0: no end.
};

/// The bytes of the input, one after the other; zeros when they are used up.
class Script {
 public:
  Script(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  bool is_over() const { return at_ >= size_; }
  uint8_t byte() { return is_over() ? uint8_t{0} : data_[at_++]; }
  std::string text(size_t bytes_max) {
    const size_t bytes = std::min<size_t>(byte() % (bytes_max + 1), size_ - std::min(at_, size_));
    std::string taken(reinterpret_cast<const char*>(data_ + at_), bytes);
    at_ += bytes;
    return taken;
  }

 private:
  const uint8_t* data_;
  size_t size_;
  size_t at_ = 0;
};

std::string make_subject(Script& script, bool is_pattern) {
  static constexpr std::string_view tokens[] = {"a", "b", "c", "dd", "*", ">"};
  const uint8_t shape = script.byte();
  std::string subject;
  for (int i = 0; i <= shape % 4; ++i) {
    const std::string_view token = tokens[script.byte() % (is_pattern ? 6 : 4)];
    subject += subject.empty() ? "" : ".";
    subject += token;
    if (token == ">") break;
  }
  return subject;
}

/// One client: a session, fed through the real parser, and what it was sent.
class Client final : public SessionHost, public client::ServerOperations {
 public:
  Client(Shard& shard, Account& account, uint64_t id) {
    SessionSetup setup;
    setup.id = id;
    setup.authenticator = std::make_shared<const auth::Authenticator>(auth::AuthOptions());
    setup.info = std::make_shared<const protocol::ServerInfo>();
    setup.account = &account;
    session_ = std::make_unique<Session>(shard, *this, std::move(setup));
    session_->start(0);
  }

  /// Shows these bytes to the parser as a connection would, until they are used up or it ends.
  void say(std::string_view bytes) {
    kept_.append(bytes);
    std::vector<char> block(kept_.size() + protocol::Parser::slack_bytes);
    std::memcpy(block.data(), kept_.data(), kept_.size());
    const char* begin = block.data();
    const char* const end = begin + kept_.size();
    while (!session_->is_closing() && !session_->is_waiting()) {
      protocol::Operation operation;
      size_t consumed = 0;
      size_t needed = 0;
      const protocol::ParseResult result =
          session_->parser().next(begin, end, operation, consumed, needed);
      if (result == protocol::ParseResult::operation) {
        session_->on_operation(operation, 0);
      } else if (result != protocol::ParseResult::incomplete) {
        session_->on_parse_error(result, operation, {begin, static_cast<size_t>(end - begin)});
      }
      begin += consumed;
      if (result == protocol::ParseResult::incomplete) break;
    }
    kept_.assign(begin, end);
    // The block goes away now, and with it what any output borrows of it.
    for (Session* session : session_->shard().dirty_sessions()) {
      MARTLET_ASSERT(session->output().keep_borrowed());
    }
  }

  /// Takes its output as it is.
  std::string take_output() {
    std::string bytes;
    while (!session_->output().is_empty()) {
      struct Slice {
        const char* data;
        size_t bytes;
      };
      Slice slices[16];
      const int count = session_->output().gather(slices, 16);
      size_t taken = 0;
      for (int i = 0; i < count; ++i) {
        bytes.append(slices[i].data, slices[i].bytes);
        taken += slices[i].bytes;
      }
      session_->output().consume(taken);
    }
    return bytes;
  }

  /// Reads its output; how many messages each sid got. Of a client whose sids are numbers.
  std::map<std::string, int64_t> read() {
    received_.clear();
    const std::string bytes = take_output();
    const Result<client::ServerParser::Progress> progress =
        client::ServerParser().parse(bytes.data(), bytes.size(), *this);
    MARTLET_ASSERT(progress);
    MARTLET_ASSERT(progress->consumed == bytes.size());
    return received_;
  }

  void on_slow_authentication() override { MARTLET_ASSERT(false); }
  void on_much_pending() override {}  // It reads when the script says so.
  bool on_message(const client::ServerMessage& message) override {
    received_[std::to_string(message.sid)] += 1;
    return true;
  }
  void on_info(std::string_view) override {}
  void on_ping() override {}
  void on_pong() override { pongs += 1; }
  void on_error(std::string_view) override { errors += 1; }
  bool is_over() const override { return false; }
  bool is_closing() const { return session_->is_closing(); }

  std::map<std::string, Expectation> expected;  // By sid; only of the clients that are modelled.
  int64_t pongs = 0;
  int64_t errors = 0;

 private:
  std::unique_ptr<Session> session_;
  std::string kept_;
  std::map<std::string, int64_t> received_;
};

class NoOtherLoop final : public ShardHost {
 public:
  void drain_inbox() override {}
};

class Broker {
 public:
  Broker() : shard_({0, 1, 7, &budget_, &host_, {}}) {
    for (size_t i = 0; i < clients; ++i) clients_.push_back(connect(ours_));
    wild_ = std::make_unique<Client>(shard_, theirs_, ++id_);
  }

  void step(Script& script) {
    const uint8_t what = script.byte();
    std::unique_ptr<Client>& chosen = clients_[what / 16 % clients];
    switch (what % 8) {
      case 0:
      case 1:
        subscribe(*chosen, script);
        break;
      case 2:
        unsubscribe(*chosen, script);
        break;
      case 3:
      case 4:
      case 5:
        publish(*chosen, script, what % 8 == 5);
        break;
      case 6:
        if (what < 128) chosen.reset();  // Else the new one is there before the old one goes.
        chosen = connect(ours_);
        break;
      default:
        be_wild(script);
    }
    end_turn();
  }

 private:
  std::unique_ptr<Client> connect(Account& account) {
    auto client = std::make_unique<Client>(shard_, account, ++id_);
    client->say("CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true}\r\n");
    return client;
  }

  void subscribe(Client& client, Script& script) {
    const std::string pattern = make_subject(script, true);
    const uint8_t more = script.byte();
    const std::string sid = std::to_string(more % 8);
    const std::string group = more < 128 ? "" : "q" + std::to_string(more / 8 % 3);
    client.say("SUB " + pattern + (group.empty() ? "" : " " + group) + " " + sid + "\r\n");
    client.expected.emplace(sid, Expectation{pattern, group});  // A sid in use stays as it is.
  }

  void unsubscribe(Client& client, Script& script) {
    const uint8_t more = script.byte();
    const std::string sid = std::to_string(more % 8);
    const int64_t max = more / 8 % 5;
    client.say("UNSUB " + sid + (max == 0 ? "" : " " + std::to_string(max)) + "\r\n");
    const auto found = client.expected.find(sid);
    if (found == client.expected.end()) return;
    if (max > found->second.delivered) {
      found->second.max = max;
    } else {
      client.expected.erase(found);
    }
  }

  void publish(Client& client, Script& script, bool has_headers) {
    const std::string subject = make_subject(script, false);
    const std::string payload(script.byte() * 9, 'x');
    if (has_headers) {
      client.say("HPUB " + subject + " 12 " + std::to_string(12 + payload.size()) +
                 "\r\nNATS/1.0\r\n\r\n" + payload + "\r\n");
    } else {
      client.say("PUB " + subject + " " + std::to_string(payload.size()) + "\r\n" + payload +
                 "\r\n");
    }
    check_deliveries(subject);
  }

  /// Each plain subscription that matches got one, each group one in all, the others nothing.
  void check_deliveries(std::string_view subject) {
    std::map<std::string, int64_t> group_members;
    std::map<std::string, int64_t> group_received;
    for (const std::unique_ptr<Client>& client : clients_) {
      std::map<std::string, int64_t> received = client->read();
      for (auto entry = client->expected.begin(); entry != client->expected.end();) {
        Expectation& expectation = entry->second;
        const int64_t count = received[entry->first];
        received.erase(entry->first);
        const bool matches = subject::matches(expectation.pattern, subject);
        if (matches && !expectation.group.empty()) {
          MARTLET_ASSERT(count <= 1);
          group_members[expectation.group] += 1;
          group_received[expectation.group] += count;
        } else {
          MARTLET_ASSERT(count == (matches ? 1 : 0));
        }
        expectation.delivered += count;
        const bool ends = expectation.max != 0 && expectation.delivered >= expectation.max;
        entry = ends ? client->expected.erase(entry) : std::next(entry);
      }
      MARTLET_ASSERT(received.empty());
      MARTLET_ASSERT(client->errors == 0);
    }
    for (const auto& [group, members] : group_members) MARTLET_ASSERT(group_received[group] == 1);
  }

  void be_wild(Script& script) {
    const std::string text = script.text(60);
    wild_->say(script.byte() % 2 == 0 ? text + "\r\n" : text);
    if (wild_->is_closing()) wild_ = std::make_unique<Client>(shard_, theirs_, ++id_);
    check_deliveries("");  // The empty subject matches nothing: nobody may have got anything.
  }

  void end_turn() {
    for (Session* session : shard_.dirty_sessions()) session->clear_dirty();
    shard_.dirty_sessions().clear();
    wild_output_ +=
        static_cast<int64_t>(wild_->take_output().size());  // Any bytes are a sid there.
    shard_.ended_sessions().clear();
    shard_.end_turn();
    size_t expected = 0;
    for (const std::unique_ptr<Client>& client : clients_) {
      MARTLET_ASSERT(!client->is_closing());
      expected += client->expected.size();
    }
    MARTLET_ASSERT(shard_.subscription_count() >= expected);
  }

  MemoryBudget budget_;
  NoOtherLoop host_;
  Account ours_{"ours", 0, 7, {}};
  Account theirs_{"theirs", 1, 7, {}};
  Shard shard_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::unique_ptr<Client> wild_;
  uint64_t id_ = 0;
  int64_t wild_output_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Script script(data, size);
  Broker broker;
  for (size_t i = 0; i < steps_max && !script.is_over(); ++i) broker.step(script);
  return 0;
}
