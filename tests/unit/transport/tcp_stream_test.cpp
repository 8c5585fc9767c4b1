// SPDX-License-Identifier: Apache-2.0
//
// Goal: a TCP stream answers in the words of byte_stream.hpp, and tells its handler when another
// try is worth it. Method: two streams over the loopback address, and a real loop.
#include "transport/tcp_stream.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "io/system_clock.hpp"
#include "tests/support/forked_copy.hpp"

namespace martlet::transport {
namespace {

struct Pair {
  std::unique_ptr<TcpStream> client;
  std::unique_ptr<TcpStream> server;
};

Pair connected_pair() {
  Result<io::Fd> listener = io::listen_tcp("127.0.0.1", 0, 8);
  EXPECT_TRUE(listener);
  const io::Address address = io::resolve("127.0.0.1", *io::local_port(listener->get()))->front();
  Result<io::Fd> client = io::connect_tcp(address);
  EXPECT_TRUE(client);
  EXPECT_TRUE(io::wait_descriptor(listener->get(), true, false, 10 * ns_per_s));
  io::Accepted accepted = io::accept_tcp(listener->get());
  EXPECT_TRUE(accepted.fd.is_open());
  Pair pair;
  pair.client = std::make_unique<TcpStream>(std::move(*client), address);
  pair.server = std::make_unique<TcpStream>(std::move(accepted.fd), accepted.peer);
  return pair;
}

StreamResult write_text(TcpStream& stream, std::string_view text) {
  const io::IoSlice slice{text.data(), text.size()};
  return stream.write(&slice, 1);
}

void wait_readable(const TcpStream& stream) {
  ASSERT_TRUE(io::wait_descriptor(stream.descriptor(), true, false, 10 * ns_per_s));
}

struct CountingHandler final : StreamHandler {
  void on_stream_ready(bool can_read, bool can_write) override {
    readable += can_read ? 1 : 0;
    writable += can_write ? 1 : 0;
  }
  int readable = 0;
  int writable = 0;
};

TEST(TcpStream, reading_says_want_read_then_bytes_then_closed) {
  Pair pair = connected_pair();
  char buffer[16];
  EXPECT_EQ(pair.server->read(buffer, sizeof buffer).state, StreamState::want_read);

  const StreamResult written = write_text(*pair.client, "PING\r\n");
  EXPECT_EQ(written.state, StreamState::ok);
  EXPECT_EQ(written.bytes, 6U);
  wait_readable(*pair.server);
  const StreamResult read = pair.server->read(buffer, sizeof buffer);
  EXPECT_EQ(read.state, StreamState::ok);
  EXPECT_EQ(std::string(buffer, read.bytes), "PING\r\n");

  pair.client.reset();
  wait_readable(*pair.server);
  EXPECT_EQ(pair.server->read(buffer, sizeof buffer).state, StreamState::closed);
}

TEST(TcpStream, has_ended_also_while_a_forked_child_has_its_descriptor) {
  Pair pair = connected_pair();
  const ForkedCopy child;
  EXPECT_EQ(write_text(*pair.client, "PING\r\n").state, StreamState::ok);
  pair.client.reset();
  char buffer[16];
  wait_readable(*pair.server);
  EXPECT_EQ(pair.server->read(buffer, sizeof buffer).bytes, 6U);
  wait_readable(*pair.server);
  EXPECT_EQ(pair.server->read(buffer, sizeof buffer).state, StreamState::closed);
}

TEST(TcpStream, a_full_socket_wants_to_write) {
  Pair pair = connected_pair();
  const std::string block(1 << 20, 'x');
  StreamResult result;
  for (int i = 0; i < 1000 && result.state == StreamState::ok; ++i) {
    result = write_text(*pair.client, block);
  }
  EXPECT_EQ(result.state, StreamState::want_write);
  EXPECT_EQ(result.bytes, 0U);
}

TEST(TcpStream, a_broken_stream_fails_with_the_systems_number) {
  Pair pair = connected_pair();
  pair.server.reset();
  StreamResult result;
  for (int i = 0; i < 1000 && result.state != StreamState::failed; ++i) {
    result = write_text(*pair.client, "x");
    io::wait_descriptor(pair.client->descriptor(), true, false, ns_per_ms);
  }
  EXPECT_EQ(result.state, StreamState::failed);
  EXPECT_NE(result.error_number, 0);
}

TEST(TcpStream, the_peer_is_known) {
  const Pair pair = connected_pair();
  EXPECT_EQ(pair.server->peer_host(), "127.0.0.1");
  EXPECT_EQ(pair.server->peer_port(), *io::local_port(pair.client->descriptor()));
  EXPECT_EQ(pair.client->peer_port(), *io::local_port(pair.server->descriptor()));
  EXPECT_TRUE(pair.client->can_write_beside_read());
}

TEST(TcpStream, the_handler_is_told_only_what_it_is_interested_in) {
  Pair pair = connected_pair();
  const io::SystemClock clock;
  Result<std::unique_ptr<io::Loop>> loop = io::Loop::create(clock);
  ASSERT_TRUE(loop);
  CountingHandler handler;
  ASSERT_TRUE(pair.server->attach(**loop, handler));

  ASSERT_TRUE(pair.server->set_interest(true, false));
  (*loop)->run_once(0);
  EXPECT_EQ(handler.readable + handler.writable, 0);

  ASSERT_TRUE(pair.server->set_interest(true, true));
  (*loop)->run_once(10 * ns_per_s);
  EXPECT_EQ(handler.readable, 0);
  EXPECT_GT(handler.writable, 0);

  ASSERT_TRUE(pair.server->set_interest(true, false));
  ASSERT_EQ(write_text(*pair.client, "x").state, StreamState::ok);
  wait_readable(*pair.server);
  (*loop)->run_once(10 * ns_per_s);
  EXPECT_EQ(handler.readable, 1);
  (*loop)->run_once(10 * ns_per_s);
  EXPECT_EQ(handler.readable, 2) << "level-triggered: told again while bytes are there";

  pair.server->detach();
  (*loop)->run_once(0);
  EXPECT_EQ(handler.readable, 2);
}

}  // namespace
}  // namespace martlet::transport
