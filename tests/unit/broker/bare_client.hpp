// SPDX-License-Identifier: Apache-2.0
//
// Owns a broker of one loop and its clients without a connection, a clock or a thread: a session,
// fed through the real parser, and the text of its output.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.hpp"
#include "broker/session.hpp"
#include "broker/shard.hpp"

namespace martlet::broker {

class BareClient final : public SessionHost {
 public:
  BareClient(Shard& shard, SessionSetup setup) : session_(shard, *this, std::move(setup)) {
    session_.start(0);
  }

  /// As a connection would, until the bytes are used up or nothing more may be parsed.
  void feed(std::string_view bytes, int64_t now_ns = 0) {
    kept_.append(bytes);
    std::string block = kept_ + std::string(protocol::Parser::slack_bytes, '\0');
    const char* begin = block.data();
    const char* const end = begin + kept_.size();
    while (!session_.is_closing() && !session_.is_waiting()) {
      protocol::Operation operation;
      size_t consumed = 0;
      size_t needed = 0;
      const protocol::ParseResult result =
          session_.parser().next(begin, end, operation, consumed, needed);
      if (result == protocol::ParseResult::operation) {
        session_.on_operation(operation, now_ns);
      } else if (result != protocol::ParseResult::incomplete) {
        session_.on_parse_error(result, operation, {begin, static_cast<size_t>(end - begin)});
      }
      begin += consumed;
      if (result == protocol::ParseResult::incomplete) {
        if (operation.awaits_payload) session_.on_control_line(operation);
        break;
      }
    }
    kept_.assign(begin, end);
    // The block goes away now, and with it what any output borrows of it.
    for (Session* session : session_.shard().dirty_sessions()) {
      MARTLET_ASSERT(session->output().keep_borrowed());
    }
  }

  /// What it has been sent since.
  std::string take() {
    struct Slice {
      const char* data;
      size_t bytes;
    };
    std::string all;
    while (!session_.output().is_empty()) {
      Slice slices[16];
      const int count = session_.output().gather(slices, 16);
      size_t bytes = 0;
      for (int i = 0; i < count; i++) {
        all.append(slices[i].data, slices[i].bytes);
        bytes += slices[i].bytes;
      }
      session_.output().consume(bytes);
    }
    return all;
  }
  std::string say(std::string_view bytes, int64_t now_ns = 0) {
    feed(bytes, now_ns);
    return take();
  }

  Session& session() { return session_; }
  int slow_checks = 0;
  int much_pending = 0;

  void on_slow_authentication() override { slow_checks += 1; }
  void on_much_pending() override { much_pending += 1; }

 private:
  Session session_;
  std::string kept_;
};

class BareBroker final : private ShardHost {
 public:
  explicit BareBroker(SessionOptions options = {}, auth::AuthOptions auth = {},
                      int64_t memory_bytes_max = 0)
      : budget_(memory_bytes_max), account_("A", 1, 3, {}) {
    authenticator_ = std::make_shared<const auth::Authenticator>(std::move(auth));
    options.auth_required = authenticator_->is_required();
    Shard::Setup setup;
    setup.seed = 7;
    setup.budget = &budget_;
    setup.host = this;
    setup.session_options = std::make_shared<const SessionOptions>(options);
    shard_ = std::make_unique<Shard>(setup);
    info_ = std::make_shared<const protocol::ServerInfo>();
  }

  SessionSetup setup() {
    SessionSetup setup;
    setup.id = ++last_id_;
    setup.authenticator = authenticator_;
    setup.info = info_;
    setup.account = &account_;
    return setup;
  }
  /// INFO has been taken already.
  std::unique_ptr<BareClient> connect() {
    auto client = std::make_unique<BareClient>(*shard_, setup());
    (void)client->take();
    return client;
  }

  Shard& shard() { return *shard_; }
  Account& account() { return account_; }
  MemoryBudget& budget() { return budget_; }
  int inbox_drains = 0;

 private:
  void drain_inbox() override { inbox_drains += 1; }

  MemoryBudget budget_;
  Account account_;
  std::unique_ptr<Shard> shard_;
  std::shared_ptr<const auth::Authenticator> authenticator_;
  std::shared_ptr<const protocol::ServerInfo> info_;
  uint64_t last_id_ = 0;
};

}  // namespace martlet::broker
