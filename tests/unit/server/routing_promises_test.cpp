// SPDX-License-Identifier: Apache-2.0
//
// Goal: the two promises about routing hold across event loops. (1) Once a client has the PONG
// after its SUB, every message published later anywhere reaches it. (2) What a client published
// before its PONG stands before the PONG of any PING that a receiver sends after that; also when a
// third loop relays. Method: a server of three loops, clients spread over them by the server
// itself, many rounds of both orders; a message that comes late or never fails the round.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "io/socket.hpp"
#include "server/server.hpp"

namespace martlet::server {
namespace {

constexpr int64_t patience_ns = 60'000'000'000;

class WireClient {
 public:
  explicit WireClient(uint16_t port) {
    Result<std::vector<io::Address>> addresses = io::resolve("127.0.0.1", port);
    MARTLET_ASSERT(addresses.is_ok());
    Result<io::Fd> fd = io::connect_tcp(addresses->front());
    MARTLET_ASSERT(fd.is_ok());
    fd_ = std::move(*fd);
    send("CONNECT {\"verbose\":false,\"pedantic\":false}\r\nPING\r\n");
    read_until("PONG\r\n");
  }

  void send(std::string_view text) {
    while (!text.empty()) {
      const io::IoSlice slice{text.data(), text.size()};
      const io::SocketResult result = io::write_socket(fd_.get(), &slice, 1);
      text.remove_prefix(result.bytes);
      if (result.would_block) {
        ASSERT_TRUE(io::wait_descriptor(fd_.get(), false, true, patience_ns));
      }
      ASSERT_EQ(result.error_number, 0);
    }
  }

  /// Takes everything up to and with `end`; fails the test when it does not come.
  std::string read_until(std::string_view end) {
    size_t at = 0;
    while ((at = received_.find(end)) == std::string::npos) {
      char buffer[65536];
      const bool ready = io::wait_descriptor(fd_.get(), true, false, patience_ns);
      const io::SocketResult result =
          ready ? io::read_socket(fd_.get(), buffer, sizeof buffer) : io::SocketResult{};
      if (!ready || result.end || result.error_number != 0) {
        ADD_FAILURE() << "\"" << end << "\" does not come";
        return std::string();
      }
      received_.append(buffer, result.bytes);
    }
    std::string text = received_.substr(0, at + end.size());
    received_.erase(0, text.size());
    return text;
  }
  /// What stood before the PONG, and the PONG.
  std::string ping() {
    send("PING\r\n");
    return read_until("PONG\r\n");
  }

 private:
  io::Fd fd_;
  std::string received_;
};

class RoutingPromises : public ::testing::Test {
 protected:
  void SetUp() override {
    Options options;
    options.host = "127.0.0.1";
    options.port = 0;
    options.loops = 3;
    Result<std::unique_ptr<Server>> server = Server::create(options, nullptr);
    ASSERT_TRUE(server.is_ok());
    server_ = std::move(*server);
    ASSERT_TRUE(server_->start().is_ok());
    // The server gives each new connection to the loop with the fewest: three in a row are on three
    // loops.
    for (int i = 0; i < 3; i++)
      clients_.push_back(std::make_unique<WireClient>(server_->client_port()));
  }
  std::unique_ptr<Server> server_;
  std::vector<std::unique_ptr<WireClient>> clients_;
};

size_t count_messages(const std::string& text) {
  size_t count = 0;
  for (size_t at = text.find("MSG "); at != std::string::npos; at = text.find("MSG ", at + 1))
    count += 1;
  return count;
}

TEST_F(RoutingPromises, after_its_pong_a_subscription_gets_everything) {
  for (int round = 0; round < 300 && !HasFailure(); round++) {
    WireClient& subscriber = *clients_[static_cast<size_t>(round) % 3];
    WireClient& publisher = *clients_[static_cast<size_t>(round + 1) % 3];
    const std::string subject = "p.a." + std::to_string(round % 7);
    // The publisher's loop has this subject in its cache, as leading nowhere.
    publisher.send("PUB " + subject + " 1\r\n0\r\nPUB " + subject + " 1\r\n0\r\n");
    publisher.ping();
    subscriber.send("SUB " + subject + " 1\r\n");
    subscriber.ping();
    publisher.send("PUB " + subject + " 1\r\n1\r\n");
    EXPECT_EQ(subscriber.read_until("\r\n1\r\n"), "MSG " + subject + " 1 1\r\n1\r\n");
    subscriber.send("UNSUB 1\r\n");
    subscriber.ping();
    publisher.send("PUB " + subject + " 1\r\n2\r\n");
    publisher.ping();
    EXPECT_EQ(subscriber.ping(), "PONG\r\n") << "round " << round;
  }
}

TEST_F(RoutingPromises, a_pong_is_a_barrier_between_connections) {
  WireClient& publisher = *clients_[0];
  WireClient& receiver = *clients_[1];
  receiver.send("SUB b.> 1\r\n");
  receiver.ping();
  for (int round = 0; round < 500 && !HasFailure(); round++) {
    std::string batch;
    for (int i = 0; i < 20; i++) batch += "PUB b.x 1\r\nm\r\n";
    publisher.send(batch);
    publisher.ping();
    EXPECT_EQ(count_messages(receiver.ping()), 20U) << "round " << round;
  }
}

TEST_F(RoutingPromises, also_through_a_third_loop) {
  WireClient& first = *clients_[0];
  WireClient& relay = *clients_[1];
  WireClient& last = *clients_[2];
  relay.send("SUB hop.one 1\r\n");
  relay.ping();
  last.send("SUB hop.two 2\r\nSUB direct 3\r\n");
  last.ping();
  for (int round = 0; round < 300 && !HasFailure(); round++) {
    first.send("PUB direct 1\r\nd\r\nPUB hop.one 1\r\nr\r\n");
    EXPECT_EQ(relay.read_until("r\r\n"), "MSG hop.one 1 1\r\nr\r\n");
    relay.send("PUB hop.two 1\r\nr\r\n");
    relay.ping();
    // What caused the relayed message stands before it, and both before the PONG of a PING sent
    // now.
    EXPECT_EQ(last.ping(), "MSG direct 3 1\r\nd\r\nMSG hop.two 2 1\r\nr\r\nPONG\r\n")
        << "round " << round;
  }
}

TEST_F(RoutingPromises, a_queue_group_over_all_loops_loses_nothing_while_members_come_and_go) {
  std::vector<std::unique_ptr<WireClient>> members;
  for (int i = 0; i < 6; i++) {
    members.push_back(std::make_unique<WireClient>(server_->client_port()));
    members.back()->send("SUB work g 1\r\n");
    members.back()->ping();
  }
  WireClient& publisher = *clients_[0];
  WireClient& fickle = *clients_[1];
  size_t sent = 0;
  for (int round = 0; round < 200; round++) {
    fickle.send("SUB work g 5\r\nUNSUB 5\r\n");
    for (int i = 0; i < 10; i++) publisher.send("PUB work 1\r\nw\r\n");
    sent += 10;
  }
  std::string all = fickle.ping();
  publisher.ping();
  for (const auto& member : members) all += member->ping();
  for (const auto& member : members)
    all += member->ping();  // One more: a message may have been passed on meanwhile.
  EXPECT_EQ(count_messages(all), sent);
}

TEST_F(RoutingPromises, order_of_one_publisher_is_kept_on_every_loop) {
  for (size_t i = 1; i < 3; i++) {
    clients_[i]->send("SUB o 1\r\n");
    clients_[i]->ping();
  }
  std::string batch;
  std::string expected;
  for (int i = 0; i < 5000; i++) {
    const std::string number = std::to_string(10000 + i);
    batch += "PUB o 5\r\n" + number + "\r\n";
    expected += "MSG o 1 5\r\n" + number + "\r\n";
  }
  std::thread writer([&] {
    clients_[0]->send(batch);
    clients_[0]->ping();
  });
  for (size_t i = 1; i < 3; i++) EXPECT_TRUE(clients_[i]->read_until("14999\r\n") == expected);
  writer.join();
}

}  // namespace
}  // namespace martlet::server
