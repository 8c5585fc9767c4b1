// SPDX-License-Identifier: Apache-2.0
//
// Owns a client for tests of sessions: a byte stream in memory, attached to a worker whose loop the
// test turns itself. The stream can be unkind: one byte at a time, and now and then it wants to
// read before it writes, as TLS does.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "net/worker.hpp"
#include "tests/support/hand_clock.hpp"
#include "transport/byte_stream.hpp"

namespace martlet::net {

enum class StreamManner { whole, one_byte };

/// What the client's side and the broker's side share; outlives both.
struct Wire {
  std::string to_broker;
  std::string to_client;
  bool client_closed = false;
  bool broker_closed = false;
  bool reads_nothing = false;  // The client takes nothing: writes answer want_write.
};

class ScriptedStream final : public transport::ByteStream {
 public:
  ScriptedStream(std::shared_ptr<Wire> wire, StreamManner manner)
      : wire_(std::move(wire)), manner_(manner) {}
  ~ScriptedStream() override { wire_->broker_closed = true; }

  transport::StreamResult read(char* buffer, size_t bytes_max) override {
    want_read_ = false;
    if (wire_->to_broker.empty()) {
      return {
          wire_->client_closed ? transport::StreamState::closed : transport::StreamState::want_read,
          0, 0};
    }
    if (manner_ == StreamManner::one_byte && ++reads_ % 7 == 0)
      return {transport::StreamState::want_write, 0, 0};
    const size_t bytes =
        manner_ == StreamManner::one_byte ? 1 : std::min(bytes_max, wire_->to_broker.size());
    wire_->to_broker.copy(buffer, bytes);
    wire_->to_broker.erase(0, bytes);
    return {transport::StreamState::ok, bytes, 0};
  }

  transport::StreamResult write(const io::IoSlice* slices, int count) override {
    if (wire_->reads_nothing) return {transport::StreamState::want_write, 0, 0};
    if (manner_ == StreamManner::one_byte) {
      writes_ += 1;
      if (writes_ % 11 == 0) {
        want_read_ = true;
        return {transport::StreamState::want_read, 0, 0};
      }
      if (writes_ % 5 == 0) return {transport::StreamState::want_write, 0, 0};
      wire_->to_client.append(static_cast<const char*>(slices[0].data), 1);
      return {transport::StreamState::ok, 1, 0};
    }
    size_t bytes = 0;
    for (int i = 0; i < count; i++) {
      wire_->to_client.append(static_cast<const char*>(slices[i].data), slices[i].bytes);
      bytes += slices[i].bytes;
    }
    return {transport::StreamState::ok, bytes, 0};
  }

  Status attach(io::Loop&, transport::StreamHandler& handler) override {
    handler_ = &handler;
    return Status();
  }
  void detach() override { handler_ = nullptr; }
  Status set_interest(bool read, bool write) override {
    read_ = read;
    write_ = write;
    return Status();
  }
  const std::string& peer_host() const override { return host_; }
  uint16_t peer_port() const override { return 1; }

  /// Tells the broker what is possible now, as a loop would; false when it is interested in nothing
  /// that is.
  bool turn() {
    if (handler_ == nullptr) return false;
    const bool readable =
        read_ && (want_read_ || !wire_->to_broker.empty() || wire_->client_closed);
    const bool writable = write_ && !wire_->reads_nothing;
    if (!readable && !writable) return false;
    handler_->on_stream_ready(readable, writable);
    return true;
  }

 private:
  std::shared_ptr<Wire> wire_;
  StreamManner manner_;
  transport::StreamHandler* handler_ = nullptr;
  std::string host_ = "127.0.0.1";
  bool read_ = false;
  bool write_ = false;
  bool want_read_ = false;
  int reads_ = 0;
  int writes_ = 0;
};

/// One worker on the test's thread, with as many clients as the test wants.
class SessionBench {
 public:
  explicit SessionBench(broker::SessionOptions options = {}, auth::AuthOptions auth = {},
                        LogSink* log = nullptr)
      : SessionBench(1, std::move(options), std::move(auth), log) {}
  /// With a ceiling for what is charged.
  static std::unique_ptr<SessionBench> with_memory(int64_t bytes_max,
                                                   broker::SessionOptions options = {}) {
    return std::make_unique<SessionBench>(1, std::move(options), auth::AuthOptions{}, nullptr,
                                          bytes_max);
  }
  /// Several loops, all turned by the test.
  explicit SessionBench(uint32_t loops, broker::SessionOptions options = {},
                        auth::AuthOptions auth = {}, LogSink* log = nullptr,
                        int64_t memory_bytes_max = 0)
      : log_(log, LogLevel::debug), budget_(memory_bytes_max) {
    authenticator_ = std::make_shared<const auth::Authenticator>(std::move(auth));
    options.auth_required = authenticator_->is_required();
    options_ = std::make_shared<const broker::SessionOptions>(options);
    std::vector<Worker*> peers;
    for (uint32_t i = 0; i < loops; i++) peers.push_back(add_worker(i, loops));
    for (const std::unique_ptr<Worker>& worker : workers_) worker->set_peers(peers);
    auto info = std::make_shared<protocol::ServerInfo>();
    info->server_id = "TEST";
    info_ = std::move(info);
  }
  ~SessionBench() { end(); }

  /// Ends all sessions and the loops; then nothing may be charged any more.
  void end() {
    for (const std::unique_ptr<Worker>& worker : workers_) {
      worker->for_each_connection([](Connection& connection) {
        connection.session().close(broker::CloseReason::server_shutdown);
      });
    }
    turn_loops();
    workers_.clear();
  }

  struct Client {
    std::shared_ptr<Wire> wire;
    ScriptedStream* stream;  // The broker's, until it has closed it.
    uint64_t id;
  };

  Client connect(StreamManner manner, broker::Account* account = nullptr,
                 std::shared_ptr<const auth::Principal> principal = nullptr, uint32_t loop = 0) {
    Client client = offer(manner, account, std::move(principal), loop);
    settle({&client});
    EXPECT_EQ(client.wire->to_client.substr(0, 5), "INFO ");
    client.wire->to_client.clear();
    return client;
  }
  /// As connect(), but the loop has not yet turned.
  Client offer(StreamManner manner, broker::Account* account = nullptr,
               std::shared_ptr<const auth::Principal> principal = nullptr, uint32_t loop = 0) {
    Newcomer newcomer = prepare(manner, account, std::move(principal));
    EXPECT_TRUE(workers_[loop]->adopt(std::move(newcomer.stream), std::move(newcomer.setup)));
    return newcomer.client;
  }
  struct Newcomer {
    Client client;
    std::unique_ptr<ScriptedStream> stream;
    broker::SessionSetup setup;
  };
  /// What a loop adopts.
  Newcomer prepare(StreamManner manner, broker::Account* account = nullptr,
                   std::shared_ptr<const auth::Principal> principal = nullptr) {
    auto wire = std::make_shared<Wire>();
    auto stream = std::make_unique<ScriptedStream>(wire, manner);
    Newcomer newcomer{{wire, stream.get(), ++last_id_}, std::move(stream), {}};
    broker::SessionSetup& setup = newcomer.setup;
    setup.id = newcomer.client.id;
    setup.authenticator = principal
                              ? std::make_shared<const auth::Authenticator>(std::move(principal))
                              : authenticator_;
    setup.info = info_;
    setup.account = account == nullptr ? &account_ : account;
    setup.client_ip = "127.0.0.1";
    setup.log = broker::SessionLog(log_, "127.0.0.1:1 - cid:" + std::to_string(setup.id), 0);
    return newcomer;
  }

  /// Turns until nobody has anything to do any more.
  void settle(const std::vector<Client*>& clients) {
    turn_loops();
    int idle_turns = 0;
    for (int turns = 0; turns < 4'000'000; turns++) {
      bool moved = false;
      for (Client* client : clients) {
        if (!client->wire->broker_closed) moved |= client->stream->turn();
      }
      turn_loops();
      for (const std::unique_ptr<Worker>& worker : workers_)
        moved |= worker->loop().next_timeout_ns() == 0;
      idle_turns = moved ? 0 : idle_turns + 1;
      if (idle_turns == 2) return;
    }
    FAIL() << "the sessions do not come to rest";
  }

  /// Sends, lets everything settle, and answers what came back.
  std::string say(Client& client, std::string_view text,
                  std::initializer_list<Client*> others = {}) {
    client.wire->to_broker.append(text);
    std::vector<Client*> all(others);
    all.push_back(&client);
    settle(all);
    return take(client);
  }
  static std::string take(Client& client) {
    std::string text;
    text.swap(client.wire->to_client);
    return text;
  }
  Connection* find(const Client& client) {
    Connection* found = nullptr;
    for (const std::unique_ptr<Worker>& worker : workers_) {
      worker->for_each_connection([&](Connection& connection) {
        if (connection.session().id() == client.id) found = &connection;
      });
    }
    return found;
  }

  /// Each loop once; none waits.
  void turn_loops() {
    for (const std::unique_ptr<Worker>& worker : workers_) worker->loop().run_once(0);
  }

  Worker& worker(uint32_t loop = 0) { return *workers_[loop]; }
  broker::Account& account() { return account_; }
  /// Stands still but for this.
  void let_time_pass(int64_t duration_ns) { clock_.now_ns += duration_ns; }
  MemoryBudget& budget() { return budget_; }
  /// Slow work waits until do_slow_work().
  void hold_slow_work() { holds_slow_work_ = true; }
  void do_slow_work() {
    holds_slow_work_ = false;
    for (const std::function<void()>& task : std::exchange(slow_work_, {})) task();
  }
  /// How many connections the loops have reported as ended.
  uint64_t ended_count() const { return ended_count_; }

 private:
  Worker* add_worker(uint32_t index, uint32_t count) {
    Worker::Setup setup;
    setup.index = index;
    setup.worker_count = count;
    setup.clock = &clock_;
    setup.budget = &budget_;
    setup.exchange_mutex = &exchange_mutex_;
    setup.log = log_;
    setup.session_options = options_;
    setup.run_slow = [this](std::function<void()> task) {
      if (holds_slow_work_) {
        slow_work_.push_back(std::move(task));
      } else {
        task();
      }
    };
    setup.on_connection_end = [this] { ended_count_ += 1; };
    Result<std::unique_ptr<Worker>> worker = Worker::create(std::move(setup));
    MARTLET_ASSERT(worker.is_ok());
    workers_.push_back(std::move(*worker));
    return workers_.back().get();
  }

  // Or a slow machine would find the broker's PINGs among the answers.
  test::HandClock clock_;
  Logger log_;
  MemoryBudget budget_;
  std::mutex exchange_mutex_;
  broker::Account account_{"$G", 1, 99, {}};
  std::vector<std::unique_ptr<Worker>> workers_;
  std::shared_ptr<const auth::Authenticator> authenticator_;
  broker::SessionOptionsSnapshot options_;
  std::shared_ptr<const protocol::ServerInfo> info_;
  uint64_t last_id_ = 0;
  uint64_t ended_count_ = 0;
  bool holds_slow_work_ = false;
  std::vector<std::function<void()>> slow_work_;
};

}  // namespace martlet::net
