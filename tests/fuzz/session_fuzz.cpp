// SPDX-License-Identifier: Apache-2.0
//
// Goal: no sequence of verbs from several clients breaks a broker: no crash, no leak, everybody gets exactly what the plain
// rules say. Method: a broker without I/O (a shard, four sessions); the input chooses verbs and their arguments from small
// sets; a naive model of subscriptions counts what each client must get; at the end all memory is given back.
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/assert.hpp"
#include "broker/session.hpp"
#include "broker/shard.hpp"
#include "subject/subject.hpp"

namespace {

using namespace martlet;
using namespace martlet::broker;

struct Script {
  const uint8_t* at;
  const uint8_t* end;
  bool is_over() const { return at >= end; }
  uint32_t below(uint32_t bound) { return is_over() ? 0 : *at++ % bound; }
};

struct Hosts final : ShardHost, SessionHost {
  void drain_inbox() override {}
  void on_slow_authentication() override {}
  void on_much_pending() override {}
};

struct ModelSubscription {
  std::string pattern;
  std::string queue;
  int64_t delivered = 0;
  int64_t max = 0;
};

struct Client {
  std::unique_ptr<Session> session;
  std::map<std::string, ModelSubscription> subscriptions;
  uint64_t expected_plain = 0;  // Deliveries by plain subscriptions.
  bool gone = false;
};

const char* const patterns[] = {"a", "a.b", "a.*", "a.>", "*", ">", "*.b", "a.b.c", "b.>", "..", "a.", "*.*.c"};
const char* const subjects[] = {"a", "a.b", "a.b.c", "b.x", "b", "c.b", "a..b", "*", ">"};
const char* const queues[] = {"", "", "q", "r"};

class Broker {
 public:
  Broker() : account_("A", 1, 7, {}) {
    Shard::Setup setup;
    setup.budget = &budget_;
    setup.host = &hosts_;
    shard_ = std::make_unique<Shard>(setup);
    for (Client& client : clients_) connect(client);
  }
  ~Broker() {
    for (Client& client : clients_) client.session.reset();
    shard_->end_turn();
    MARTLET_ASSERT(account_.routing().count() == 0);
    MARTLET_ASSERT(shard_->subscription_count() == 0);
  }

  void run(Script& script) {
    while (!script.is_over()) {
      Client& client = clients_[script.below(4)];
      switch (script.below(8)) {
        case 0:
        case 1: subscribe(client, script); break;
        case 2: unsubscribe(client, script); break;
        case 3:
        case 4:
        case 5: publish(client, script); break;
        case 6:
          if (script.below(16) == 0) connect(client);
          break;
        default: end_turn(); break;
      }
    }
    end_turn();
    uint64_t group_deliveries = 0;
    for (Client& client : clients_) {
      MARTLET_ASSERT(client.session->statistics().out_msgs >= client.expected_plain);
      group_deliveries += client.session->statistics().out_msgs - client.expected_plain;
    }
    MARTLET_ASSERT(group_deliveries == expected_group_);
  }

 private:
  void connect(Client& client) {
    if (client.session != nullptr) {
      // What its groups had brought it leaves with it.
      const uint64_t from_groups = client.session->statistics().out_msgs - client.expected_plain;
      MARTLET_ASSERT(from_groups <= expected_group_);
      expected_group_ -= from_groups;
    }
    client.session.reset();
    client.subscriptions.clear();
    client.expected_plain = 0;
    SessionSetup setup;
    setup.id = ++last_id_;
    setup.options = options_;
    setup.authenticator = authenticator_;
    setup.info = info_;
    setup.account = &account_;
    client.session = std::make_unique<Session>(*shard_, hosts_, std::move(setup));
    client.session->start(1);
    protocol::Operation op;
    op.kind = protocol::OperationKind::connect;
    op.argument = "{\"verbose\":false,\"pedantic\":false,\"headers\":true}";
    client.session->on_operation(op, 1);
  }

  void subscribe(Client& client, Script& script) {
    text_ = std::string(patterns[script.below(12)]);
    const std::string sid = std::to_string(script.below(6));
    const std::string queue = queues[script.below(4)];
    protocol::Operation op;
    op.kind = protocol::OperationKind::subscribe;
    op.subject = text_;
    op.queue = queue;
    op.sid = sid;
    client.session->on_operation(op, 1);
    if (subject::is_valid(text_) && client.subscriptions.count(sid) == 0) {
      client.subscriptions[sid] = {text_, queue, 0, 0};
    }
  }

  void unsubscribe(Client& client, Script& script) {
    const std::string sid = std::to_string(script.below(6));
    protocol::Operation op;
    op.kind = protocol::OperationKind::unsubscribe;
    op.sid = sid;
    op.max = static_cast<int64_t>(script.below(5)) - 1;
    client.session->on_operation(op, 1);
    const auto found = client.subscriptions.find(sid);
    if (found == client.subscriptions.end()) return;
    // How many a member of a group had is the broker's choice: ask it.
    Subscription* real = client.session->subscriptions().find(sid);
    if (real == nullptr) {
      client.subscriptions.erase(found);
    } else {
      found->second.max = op.max;
      MARTLET_ASSERT(real->max == op.max);
    }
  }

  void publish(Client& client, Script& script) {
    std::string subject = subjects[script.below(9)];
    std::string payload(script.below(3) == 2 ? 3000 : script.below(40), 'p');
    const size_t payload_bytes = payload.size();
    const size_t subject_bytes = subject.size();
    subject.append(Message::slack_bytes, '\0');
    payload += "\r\n" + std::string(32, '\0');
    protocol::Operation op;
    op.kind = protocol::OperationKind::publish;
    op.subject = std::string_view(subject).substr(0, subject_bytes);
    op.payload = std::string_view(payload).substr(0, payload_bytes);
    // The model: who must get it, and which groups exist for it.
    std::map<std::string, int> groups;
    for (Client& receiver : clients_) {
      for (auto at = receiver.subscriptions.begin(); at != receiver.subscriptions.end();) {
        ModelSubscription& subscription = at->second;
        const Subscription* real = receiver.session->subscriptions().find(at->first);
        MARTLET_ASSERT(real != nullptr || !subscription.queue.empty());
        if (real == nullptr) {  // A member that has had its last message.
          at = receiver.subscriptions.erase(at);
          continue;
        }
        bool ended = false;
        if (subject::matches(subscription.pattern, op.subject)) {
          if (!subscription.queue.empty()) {
            groups[subscription.queue] = 1;
          } else {
            receiver.expected_plain += 1;
            subscription.delivered += 1;
            ended = subscription.max > 0 && subscription.delivered >= subscription.max;
          }
        }
        at = ended ? receiver.subscriptions.erase(at) : std::next(at);
      }
    }
    expected_group_ += groups.size();
    client.session->on_operation(op, 1);
    // The payload's memory ends here: what borrows it is copied.
    for (Client& receiver : clients_) MARTLET_ASSERT(receiver.session->output().keep_borrowed());
  }

  void end_turn() {
    for (Session* session : shard_->dirty_sessions()) {
      session->clear_dirty();
      session->output().clear();
    }
    shard_->dirty_sessions().clear();
    shard_->end_turn();
  }

  MemoryBudget budget_;
  Hosts hosts_;
  Account account_;
  std::unique_ptr<Shard> shard_;
  SessionOptionsSnapshot options_ = std::make_shared<SessionOptions>();
  std::shared_ptr<const auth::Authenticator> authenticator_ =
      std::make_shared<const auth::Authenticator>(auth::AuthOptions{});
  std::shared_ptr<const protocol::ServerInfo> info_ = std::make_shared<protocol::ServerInfo>();
  Client clients_[4];
  uint64_t last_id_ = 0;
  uint64_t expected_group_ = 0;
  std::string text_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Broker broker;
  Script script{data, data + size};
  broker.run(script);
  return 0;
}
