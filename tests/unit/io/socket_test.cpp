// SPDX-License-Identifier: Apache-2.0
//
// Goal: sockets never block, say what happened, and close with their owner. Method: real sockets on
// the loopback address, any free port.
#include "io/socket.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"

namespace martlet::io {
namespace {

struct Pair {
  Fd client;
  Fd server;
  uint16_t port = 0;
};

Pair connected_pair() {
  Pair pair;
  Result<Fd> listener = listen_tcp("127.0.0.1", 0, 8);
  EXPECT_TRUE(listener);
  pair.port = *local_port(listener->get());
  Result<std::vector<Address>> addresses = resolve("127.0.0.1", pair.port);
  EXPECT_TRUE(addresses);
  Result<Fd> client = connect_tcp(addresses->front());
  EXPECT_TRUE(client);
  EXPECT_TRUE(wait_descriptor(listener->get(), true, false, 10 * ns_per_s));
  Accepted accepted = accept_tcp(listener->get());
  EXPECT_TRUE(accepted.fd.is_open());
  EXPECT_EQ(accepted.peer.host(), "127.0.0.1");
  EXPECT_EQ(accepted.peer.port(), *local_port(client->get()));
  EXPECT_TRUE(wait_descriptor(client->get(), false, true, 10 * ns_per_s));
  EXPECT_EQ(connect_error(client->get()), 0);
  pair.client = std::move(*client);
  pair.server = std::move(accepted.fd);
  return pair;
}

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

SocketResult write_text(int fd, std::string_view text) {
  const IoSlice slice{text.data(), text.size()};
  return write_socket(fd, &slice, 1);
}

TEST(Socket, a_descriptor_has_one_owner_and_closes_with_it) {
  Pair pair = connected_pair();
  const int number = pair.client.get();
  {
    Fd moved(std::move(pair.client));
    EXPECT_FALSE(pair.client.is_open());
    EXPECT_EQ(moved.get(), number);
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(Socket, descriptors_do_not_block_and_do_not_outlive_exec) {
  const Pair pair = connected_pair();
  for (const int fd : {pair.client.get(), pair.server.get()}) {
    EXPECT_TRUE(::fcntl(fd, F_GETFL) & O_NONBLOCK);
    EXPECT_TRUE(::fcntl(fd, F_GETFD) & FD_CLOEXEC);
  }
}

TEST(Socket, reading_tells_nothing_yet_bytes_and_the_end_apart) {
  Pair pair = connected_pair();
  char buffer[16];
  SocketResult result = read_socket(pair.server.get(), buffer, sizeof buffer);
  EXPECT_TRUE(result.would_block);
  EXPECT_EQ(result.bytes, 0U);

  EXPECT_EQ(write_text(pair.client.get(), "hello").bytes, 5U);
  ASSERT_TRUE(wait_descriptor(pair.server.get(), true, false, 10 * ns_per_s));
  result = read_socket(pair.server.get(), buffer, sizeof buffer);
  EXPECT_EQ(std::string(buffer, result.bytes), "hello");

  pair.client.reset();
  ASSERT_TRUE(wait_descriptor(pair.server.get(), true, false, 10 * ns_per_s));
  result = read_socket(pair.server.get(), buffer, sizeof buffer);
  EXPECT_TRUE(result.end);
  EXPECT_FALSE(result.would_block);
}

TEST(Socket, a_gathering_write_keeps_the_order_of_its_slices) {
  const Pair pair = connected_pair();
  const std::vector<IoSlice> slices = {{"one ", 4}, {"", 0}, {"two ", 4}, {"three", 5}};
  const SocketResult written =
      write_socket(pair.client.get(), slices.data(), static_cast<int>(slices.size()));
  EXPECT_EQ(written.bytes, 13U);
  ASSERT_TRUE(wait_descriptor(pair.server.get(), true, false, 10 * ns_per_s));
  char buffer[32];
  const SocketResult read = read_socket(pair.server.get(), buffer, sizeof buffer);
  EXPECT_EQ(std::string(buffer, read.bytes), "one two three");
}

TEST(Socket, more_slices_than_the_system_takes_are_written_in_part) {
  const Pair pair = connected_pair();
  const std::vector<IoSlice> slices(5000, IoSlice{"x", 1});
  const SocketResult written =
      write_socket(pair.client.get(), slices.data(), static_cast<int>(slices.size()));
  EXPECT_EQ(written.error_number, 0);
  EXPECT_GT(written.bytes, 0U);
  EXPECT_LE(written.bytes, slices.size());
}

TEST(Socket, a_full_socket_would_block) {
  const Pair pair = connected_pair();
  const std::string block(1 << 20, 'x');
  SocketResult result;
  for (int i = 0; i < 1000 && !result.would_block; ++i) {
    result = write_text(pair.client.get(), block);
    ASSERT_EQ(result.error_number, 0);
  }
  EXPECT_TRUE(result.would_block) << "a gigabyte was taken without a reader";
}

TEST(Socket, writing_to_a_closed_peer_is_an_error_and_no_signal) {
  Pair pair = connected_pair();
  pair.server.reset();
  SocketResult result;
  for (int i = 0; i < 1000 && result.error_number == 0; ++i) {
    result = write_text(pair.client.get(), "x");
    if (result.error_number == 0) wait_descriptor(pair.client.get(), true, false, ns_per_ms);
  }
  EXPECT_TRUE(result.error_number == EPIPE || result.error_number == ECONNRESET)
      << error_text(result.error_number);
}

TEST(Socket, nobody_waiting_is_no_error) {
  const Result<Fd> listener = listen_tcp("127.0.0.1", 0, 8);
  ASSERT_TRUE(listener);
  const Accepted accepted = accept_tcp(listener->get());
  EXPECT_TRUE(accepted.would_block);
  EXPECT_EQ(accepted.error_number, 0);
  EXPECT_FALSE(accepted.fd.is_open());
}

TEST(Socket, a_refused_connection_says_so) {
  Result<Fd> listener = listen_tcp("127.0.0.1", 0, 8);
  ASSERT_TRUE(listener);
  const uint16_t port = *local_port(listener->get());
  listener->reset();
  Result<Fd> client = connect_tcp(resolve("127.0.0.1", port)->front());
  if (!client) {
    EXPECT_EQ(client.code(), ErrorCode::io);
    return;
  }
  ASSERT_TRUE(wait_descriptor(client->get(), false, true, 10 * ns_per_s));
  EXPECT_EQ(connect_error(client->get()), ECONNREFUSED);
}

TEST(Socket, a_taken_port_is_named) {
  const Result<Fd> first = listen_tcp("127.0.0.1", 0, 8);
  ASSERT_TRUE(first);
  const uint16_t port = *local_port(first->get());
  const Result<Fd> second = listen_tcp("127.0.0.1", port, 8);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.code(), ErrorCode::address_in_use);
  EXPECT_NE(second.error().context.find("127.0.0.1:" + std::to_string(port)), std::string::npos)
      << second.error().context;
}

TEST(Socket, every_address_is_reached_by_ipv4) {
  for (const char* host : {"", "0.0.0.0"}) {
    const Result<Fd> listener = listen_tcp(host, 0, 8);
    ASSERT_TRUE(listener) << host;
    const Result<Fd> client =
        connect_tcp(resolve("127.0.0.1", *local_port(listener->get()))->front());
    ASSERT_TRUE(client);
    ASSERT_TRUE(wait_descriptor(listener->get(), true, false, 10 * ns_per_s)) << host;
    const Accepted accepted = accept_tcp(listener->get());
    EXPECT_EQ(accepted.peer.host(), "127.0.0.1") << "an IPv4 peer is shown as such";
  }
}

TEST(Socket, a_host_that_is_no_address_of_this_machine_is_refused) {
  const Result<Fd> listener = listen_tcp("192.0.2.1", 0, 8);
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.code(), ErrorCode::io);
  EXPECT_NE(listener.error().context.find("192.0.2.1"), std::string::npos);
}

TEST(Socket, numeric_hosts_are_told_from_names) {
  for (const char* host : {"127.0.0.1", "::1", "0.0.0.0", "fe80::1"}) {
    EXPECT_TRUE(is_numeric_host(host)) << host;
  }
  for (const char* host : {"", "localhost", "127.0.0", "1.2.3.4.5", "::g"}) {
    EXPECT_FALSE(is_numeric_host(host)) << host;
  }
}

TEST(Socket, addresses_keep_host_and_port) {
  const Result<std::vector<Address>> four = resolve("127.0.0.1", 4222);
  ASSERT_TRUE(four);
  EXPECT_EQ(four->front().host(), "127.0.0.1");
  EXPECT_EQ(four->front().port(), 4222);
  const Result<std::vector<Address>> six = resolve("::1", 65535);
  ASSERT_TRUE(six);
  EXPECT_EQ(six->front().host(), "::1");
  EXPECT_EQ(six->front().port(), 65535);
  EXPECT_EQ(Address().host(), "");
  EXPECT_EQ(Address().port(), 0);
}

TEST(Socket, a_host_does_not_end_at_a_nul) {
  const Result<std::vector<Address>> found = resolve(std::string_view("127.0.0.1\0x", 11), 4222);
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().context.find("it holds a NUL"), std::string::npos);
}

TEST(Socket, waiting_ends_with_its_time) {
  const Pair pair = connected_pair();
  bool interrupted = true;
  EXPECT_FALSE(wait_descriptor(pair.server.get(), true, false, ns_per_ms, &interrupted));
  EXPECT_FALSE(interrupted);
  EXPECT_TRUE(wait_descriptor(pair.server.get(), false, true, 0));
}

TEST(Socket, errors_that_pass_by_themselves_are_known) {
  for (const int number : {EMFILE, ENFILE, ENOMEM, ENOBUFS}) {
    EXPECT_TRUE(is_resource_error(number)) << error_text(number);
  }
  EXPECT_FALSE(is_resource_error(ECONNRESET));
  EXPECT_FALSE(error_text(ECONNRESET).empty());
}

}  // namespace
}  // namespace martlet::io
