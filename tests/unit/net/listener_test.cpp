// SPDX-License-Identifier: Apache-2.0
//
// Goal: everybody who connects is accepted, also when many come at once, and told by address.
// Method: a loop that the test turns, sockets of this machine.
#include "net/listener.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "io/system_clock.hpp"
#include "tests/support/forked_copy.hpp"

namespace martlet::net {
namespace {

TEST(Listener, accepts_more_than_one_turn_takes) {
  io::SystemClock clock;
  Result<std::unique_ptr<io::Loop>> loop = io::Loop::create(clock);
  ASSERT_TRUE(loop.is_ok());
  Result<io::Fd> fd = io::listen_tcp("127.0.0.1", 0, 256);
  ASSERT_TRUE(fd.is_ok());
  Result<uint16_t> port = io::local_port(fd->get());
  ASSERT_TRUE(port.is_ok());
  std::vector<std::unique_ptr<transport::ByteStream>> accepted;
  Listener listener(**loop, std::move(*fd), [&](std::unique_ptr<transport::ByteStream> stream) {
    accepted.push_back(std::move(stream));
    return true;
  });
  ASSERT_TRUE(listener.start().is_ok());

  constexpr size_t count = 150;
  Result<std::vector<io::Address>> addresses = io::resolve("127.0.0.1", *port);
  ASSERT_TRUE(addresses.is_ok());
  std::vector<io::Fd> clients;
  for (size_t i = 0; i < count; i++) {
    Result<io::Fd> client = io::connect_tcp(addresses->front());
    ASSERT_TRUE(client.is_ok());
    clients.push_back(std::move(*client));
  }
  for (int turn = 0; turn < 1000 && accepted.size() < count; turn++) {
    (*loop)->run_once(10'000'000);
  }
  ASSERT_EQ(accepted.size(), count);
  EXPECT_EQ(accepted.front()->peer_host(), "127.0.0.1");
  EXPECT_NE(accepted.front()->peer_port(), 0);
  EXPECT_NE(accepted.front()->peer_port(), accepted.back()->peer_port());
}

TEST(Listener, leaves_its_port_free_also_while_a_forked_child_has_its_descriptor) {
  io::SystemClock clock;
  Result<std::unique_ptr<io::Loop>> loop = io::Loop::create(clock);
  ASSERT_TRUE(loop.is_ok());
  // As who asks for a port does; somebody else may have it by then.
  Result<io::Fd> fd = io::listen_tcp("127.0.0.1", 0, 8);
  Result<uint16_t> port = io::local_port(fd->get());
  for (int i = 0; i < 10; i++) {
    fd->reset();
    fd = io::listen_tcp("127.0.0.1", *port, 8);
    if (fd.is_ok()) break;
    fd = io::listen_tcp("127.0.0.1", 0, 8);
    ASSERT_TRUE(fd.is_ok());
    port = io::local_port(fd->get());
  }
  auto listener = std::make_unique<Listener>(
      **loop, std::move(*fd), [](std::unique_ptr<transport::ByteStream>) { return true; });
  ASSERT_TRUE(listener->start().is_ok());
  const ForkedCopy child;
  listener.reset();
  EXPECT_TRUE(io::listen_tcp("127.0.0.1", *port, 8).is_ok());
}

}  // namespace
}  // namespace martlet::net
