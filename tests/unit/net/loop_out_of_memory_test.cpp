// SPDX-License-Identifier: Apache-2.0
//
// Goal: the same as out_of_memory_test.cpp, with a loop on its own thread, libevent below it, and
// TCP: nothing that fails on the loop ends the thread. Method: a task posted to the loop makes its
// n-th allocation from now on fail; a client then does everything that a client can do.
#include <gtest/gtest.h>

#include <future>
#include <string>

#include "io/socket.hpp"
#include "io/system_clock.hpp"
#include "net/listener.hpp"
#include "net/worker.hpp"
#include "tests/support/failing_memory.hpp"

namespace martlet::net {
namespace {

constexpr int64_t patience_ns = 20'000'000'000;

class TcpClient {
 public:
  explicit TcpClient(uint16_t port) {
    Result<std::vector<io::Address>> addresses = io::resolve("127.0.0.1", port);
    Result<io::Fd> fd = io::connect_tcp(addresses->front());
    MARTLET_ASSERT(fd.is_ok());
    fd_ = std::move(*fd);
    (void)io::wait_descriptor(fd_.get(), false, true, patience_ns);
  }
  /// The peer may have closed already: then nothing is sent.
  void send(std::string_view text) {
    while (!text.empty()) {
      const io::IoSlice slice{text.data(), text.size()};
      const io::SocketResult result = io::write_socket(fd_.get(), &slice, 1);
      if (result.bytes == 0 && !result.would_block) return;
      text.remove_prefix(result.bytes);
      if (!text.empty()) (void)io::wait_descriptor(fd_.get(), false, true, patience_ns);
    }
  }
  /// True when `text` has come; false when the connection ended before.
  bool read_until(std::string_view text) {
    for (;;) {
      const size_t at = seen_.find(text);
      if (at != std::string::npos) {
        seen_.erase(0, at + text.size());
        return true;
      }
      if (!io::wait_descriptor(fd_.get(), true, false, patience_ns)) {
        ADD_FAILURE() << "neither " << text << " nor the end came";
        return false;
      }
      char buffer[4096];
      const io::SocketResult result = io::read_socket(fd_.get(), buffer, sizeof buffer);
      if (result.would_block) continue;
      if (result.bytes == 0) return false;
      seen_.append(buffer, result.bytes);
    }
  }

 private:
  io::Fd fd_;
  std::string seen_;
};

/// One loop on its own thread, with a listener.
class Broker {
 public:
  Broker() {
    Worker::Setup setup;
    setup.clock = &clock_;
    setup.budget = &budget_;
    setup.exchange_mutex = &exchange_mutex_;
    setup.run_slow = [](std::function<void()> task) { task(); };
    setup.on_stop = [this] { listener_.reset(); };
    Result<std::unique_ptr<Worker>> worker = Worker::create(std::move(setup));
    MARTLET_ASSERT(worker.is_ok());
    worker_ = std::move(*worker);
    worker_->set_peers({worker_.get()});
    auto options = std::make_shared<broker::SessionOptions>();
    options->ping_interval_ns = 5'000'000;
    options->pings_out_max = 1'000'000;
    impatient_ = std::move(options);
    Result<io::Fd> fd = io::listen_tcp("127.0.0.1", 0, 16);
    MARTLET_ASSERT(fd.is_ok());
    port_ = *io::local_port(fd->get());
    listener_ = std::make_unique<Listener>(
        worker_->loop(), std::move(*fd),
        [this](std::unique_ptr<transport::ByteStream> stream) { return adopt(std::move(stream)); });
    MARTLET_ASSERT(listener_->start().is_ok());
    MARTLET_ASSERT(worker_->start().is_ok());
  }
  ~Broker() { stop(); }
  void stop() {
    if (worker_ != nullptr) worker_->stop();
  }

  /// Runs `task` on the loop and waits until it has run.
  void on_loop(const std::function<void()>& task) {
    std::promise<void> done;
    worker_->post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }
  /// After stop(): everything is given back.
  int64_t take_down() {
    worker_.reset();
    return budget_.bytes();
  }
  uint16_t port() const { return port_; }
  Worker& worker() { return *worker_; }
  broker::Account& account() { return account_; }

 private:
  bool adopt(std::unique_ptr<transport::ByteStream> stream) {
    broker::SessionSetup setup;
    setup.id = ++last_id_;
    setup.authenticator = authenticator_;
    setup.info = info_;
    setup.account = &account_;
    setup.client_ip = stream->peer_host();
    // The victim is the second one; its timers have their turns as well.
    return worker_->set_session_options(setup.id == 2 ? impatient_ : patient_) &&
           worker_->adopt(std::move(stream), std::move(setup));
  }

  io::SystemClock clock_;
  MemoryBudget budget_;
  std::mutex exchange_mutex_;
  broker::Account account_{"$G", 1, 99, {}};
  std::unique_ptr<Worker> worker_;
  std::unique_ptr<Listener> listener_;
  std::shared_ptr<const auth::Authenticator> authenticator_ =
      std::make_shared<const auth::Authenticator>(auth::AuthOptions{});
  std::shared_ptr<const protocol::ServerInfo> info_ =
      std::make_shared<const protocol::ServerInfo>();
  broker::SessionOptionsSnapshot impatient_;
  broker::SessionOptionsSnapshot patient_ = std::make_shared<const broker::SessionOptions>();
  uint16_t port_ = 0;
  uint64_t last_id_ = 0;  // The loop's.
};

// What a client does in its life; it may be cut off anywhere.
void live(uint16_t port) {
  TcpClient client(port);
  if (!client.read_until("\r\n")) return;
  client.send(
      "CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true,\"protocol\":1}\r\n");
  client.send(
      "SUB v.a 1\r\nSUB v.*.and.more.of.it.> 2\r\nSUB g.x workers 3\r\nSUB in.> 9\r\nPING\r\n");
  if (!client.read_until("PONG\r\n")) return;
  client.send(
      "PUB v.a 3\r\none\r\nPUB v.a 3\r\ntwo\r\nPUB by.v 4\r\nfour\r\nPUB nobody in.1 0\r\n\r\n");
  client.send("PUB by.v 3000\r\n" + std::string(3000, 'l') + "\r\n");
  client.send("PUB by.v 90000\r\n" + std::string(90'000, 'h') + "\r\n");
  client.send("PUB g.x 1\r\nx\r\nUNSUB 2\r\nPING\r\n");
  (void)client.read_until("PONG\r\n");
  (void)client.read_until("PING\r\n");
}

// Memory fails on the loop.
void live_without(test::FailingMemory& memory) {
  Broker broker;
  TcpClient bystander(broker.port());
  bystander.send("CONNECT {\"verbose\":false}\r\nSUB other.> 7\r\nPING\r\n");
  EXPECT_TRUE(bystander.read_until("PONG\r\n"));
  broker.on_loop([&] { memory.begin(); });
  live(broker.port());
  broker.on_loop([&] { memory.end(); });

  TcpClient fresh(broker.port());
  fresh.send("CONNECT {\"verbose\":false}\r\nPUB other.x 2\r\nhi\r\nPING\r\n");
  EXPECT_TRUE(fresh.read_until("PONG\r\n"));
  EXPECT_TRUE(bystander.read_until("MSG other.x 7 2\r\nhi\r\n"));
  // The victim has hung up: nothing of it is left once the loop has seen that.
  size_t connections = 0;
  size_t subscriptions = 0;
  for (int looks = 0; looks < 2000; looks++) {
    broker.on_loop([&] {
      connections = broker.worker().connection_count();
      subscriptions = broker.worker().shard().subscription_count();
    });
    if (connections == 2 && subscriptions == 1) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(connections, 2U);
  EXPECT_EQ(subscriptions, 1U);
  EXPECT_EQ(broker.account().routing().count(), 1U);
  EXPECT_EQ(broker.worker().load(), 2U);
  broker.stop();
  EXPECT_EQ(broker.take_down(), 0);
}

TEST(LoopOutOfMemory, one_failure_ends_one_connection) {
  EXPECT_GT(test::fail_each_allocation(test::Failing::once, live_without), 20);
}

TEST(LoopOutOfMemory, lasting_failure_ends_whoever_needs_memory) {
  EXPECT_GT(test::fail_each_allocation(test::Failing::for_good, live_without), 20);
}

TEST(LoopOutOfMemory, stops_without_memory) {
  Broker broker;
  TcpClient client(broker.port());
  std::string text = "CONNECT {\"verbose\":false}\r\n";
  for (int i = 0; i < 3000; i++) {
    text += "SUB a.subject.that.takes.some.memory." + std::to_string(i) + " " + std::to_string(i) +
            "\r\n";
  }
  client.send(text + "PING\r\n");
  ASSERT_TRUE(client.read_until("PONG\r\n"));
  broker.on_loop([] { test::fail_allocations_from(0); });
  test::fail_allocations_from(0);
  broker.stop();
  (void)test::stop_failing_allocations();
  EXPECT_FALSE(client.read_until("anything"));
  EXPECT_EQ(broker.account().routing().count(), 0U);
  EXPECT_EQ(broker.take_down(), 0);
}

}  // namespace
}  // namespace martlet::net
