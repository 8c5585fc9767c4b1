// SPDX-License-Identifier: Apache-2.0
//
// Goal: lines arrive at a syslog server as messages of RFC 3164. Method: a UDP socket and a unix
// socket of this test's own play the server.
#include "io/syslog_client.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "io/process.hpp"

namespace martlet::io {
namespace {

std::string receive(int descriptor) {
  timeval patience{10, 0};
  setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  char text[1024];
  const ssize_t got = recv(descriptor, text, sizeof text, 0);
  return got < 0 ? "nothing came" : std::string(text, static_cast<size_t>(got));
}

/// A server's socket of IPv4 on a free port of this machine.
struct LoopbackSocket {
  explicit LoopbackSocket(int type) : descriptor(socket(AF_INET, type, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    socklen_t size = sizeof address;
    EXPECT_EQ(getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port = ntohs(address.sin_port);
  }
  ~LoopbackSocket() { close(descriptor); }
  LoopbackSocket(const LoopbackSocket&) = delete;
  LoopbackSocket& operator=(const LoopbackSocket&) = delete;

  const int descriptor;
  uint16_t port = 0;
};

/// The descriptor of a server's socket at `path`.
int listen_on(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  EXPECT_LT(path.size(), sizeof address.sun_path);
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int descriptor = socket(AF_UNIX, SOCK_DGRAM, 0);
  EXPECT_EQ(bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  return descriptor;
}

TEST(SyslogClient, over_udp) {
  const LoopbackSocket server(SOCK_DGRAM);
  Result<SyslogClient> client =
      SyslogClient::connect(fmt::format("udp://127.0.0.1:{}", server.port), "martlet");
  ASSERT_TRUE(client);
  client->send(SyslogSeverity::error, 1'795'504'737'000'000'000, "a line");
  const std::string message = receive(server.descriptor);
  EXPECT_TRUE(message.starts_with("<27>2026-11-2")) << message;
  EXPECT_TRUE(message.ends_with(fmt::format(" martlet[{}]: a line\n", process_id()))) << message;
}

// The process is not asked for again with each line.
TEST(SyslogClient, names_the_process_that_connected) {
  const LoopbackSocket server(SOCK_DGRAM);
  Result<SyslogClient> client =
      SyslogClient::connect(fmt::format("udp://127.0.0.1:{}", server.port), "m");
  ASSERT_TRUE(client);
  const int64_t here = process_id();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    SyslogClient moved(std::move(*client));
    moved.send(SyslogSeverity::notice, 0, "x");
    _exit(0);
  }
  EXPECT_EQ(waitpid(child, nullptr, 0), child);
  const std::string message = receive(server.descriptor);
  EXPECT_TRUE(message.ends_with(fmt::format(" m[{}]: x\n", here))) << message;
}

TEST(SyslogClient, over_a_unix_socket) {
  const std::string path = testing::TempDir() + fmt::format("syslog_client_test_{}", process_id());
  const int listener = listen_on(path);
  Result<SyslogClient> client = SyslogClient::connect("unix://" + path, "m");
  ASSERT_TRUE(client);
  client->send(SyslogSeverity::notice, 0, "x");
  EXPECT_TRUE(receive(listener).ends_with(fmt::format(" m[{}]: x\n", process_id())));
  close(listener);
  unlink(path.c_str());
}

TEST(SyslogClient, who_does_not_read_stops_nobody_and_learns_how_much_is_lost) {
  const LoopbackSocket server(SOCK_STREAM);
  ASSERT_EQ(listen(server.descriptor, 4), 0);
  Result<SyslogClient> client =
      SyslogClient::connect(fmt::format("tcp://127.0.0.1:{}", server.port), "m");
  ASSERT_TRUE(client);
  const int peer = accept(server.descriptor, nullptr, nullptr);
  ASSERT_GE(peer, 0);

  // More than two sockets hold. Should it wait, the peer goes away and the test fails.
  constexpr size_t lines = 2000;
  std::atomic<bool> is_done{false};
  std::thread sender([&] {
    for (size_t i = 0; i < lines; i++)
      client->send(SyslogSeverity::info, 0, std::to_string(i) + std::string(16 * 1024, 'x'));
    is_done = true;
  });
  for (int tries = 0; tries < 2000 && !is_done; tries++)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_TRUE(is_done);
  if (!is_done) shutdown(peer, SHUT_RDWR);
  sender.join();

  // From where it is read again every line comes whole, and lines between them tell how many do
  // not.
  std::string got;
  size_t asked = 0;
  for (int tries = 0; tries < 10000 && got.find(": last\n") == std::string::npos; tries++) {
    std::vector<char> bytes(1024 * 1024);
    const ssize_t count = recv(peer, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count > 0) {
      got.append(bytes.data(), static_cast<size_t>(count));
    } else {
      client->send(SyslogSeverity::info, 0, "last");
      asked += 1;
    }
  }
  size_t whole = 0;
  size_t last = 0;
  size_t told = 0;
  size_t start = 0;
  for (size_t end = got.find('\n'); end != std::string::npos; end = got.find('\n', start)) {
    const std::string line = got.substr(start, end - start);
    const std::string text = line.substr(std::min(line.find("]: ") + 3, line.size()));
    EXPECT_TRUE(line.starts_with("<")) << line.substr(0, 80);
    whole += text.ends_with(std::string(16 * 1024, 'x'));
    last += text == "last";
    if (text.find(" lines of this log are lost") != std::string::npos) told += std::stoul(text);
    start = end + 1;
  }
  EXPECT_GT(whole, 0U);
  EXPECT_LT(whole, lines);
  EXPECT_EQ(whole + told + last, lines + asked);
  close(peer);
}

TEST(SyslogClient, a_server_that_came_back_is_found_again) {
  const std::string path = testing::TempDir() + fmt::format("syslog_again_{}", process_id());
  int listener = listen_on(path);
  Result<SyslogClient> client = SyslogClient::connect("unix://" + path, "m");
  ASSERT_TRUE(client);
  close(listener);
  unlink(path.c_str());
  const int64_t start_ns = 1'795'504'737'000'000'000;
  client->send(SyslogSeverity::info, start_ns, "gone");
  listener = listen_on(path);
  client->send(SyslogSeverity::info, start_ns + ns_per_s / 2, "too soon");
  client->send(SyslogSeverity::info, start_ns + ns_per_s, "back");
  EXPECT_TRUE(receive(listener).ends_with(": back\n"));
  client->send(SyslogSeverity::info, start_ns + ns_per_s, "more");
  EXPECT_NE(receive(listener).find(": 2 lines of this log are lost"), std::string::npos);
  EXPECT_TRUE(receive(listener).ends_with(": more\n"));
  close(listener);
  unlink(path.c_str());
}

TEST(SyslogClient, addresses_that_lead_nowhere) {
  EXPECT_FALSE(SyslogClient::connect("http://x", "m"));
  EXPECT_FALSE(SyslogClient::connect("udp://no-port", "m"));
  EXPECT_FALSE(SyslogClient::connect("unix:///nope/socket", "m"));
  EXPECT_TRUE(SyslogClient::connect("unix:///nope/socket", "m")
                  .error()
                  .context.starts_with("error connecting to syslog: "));
}

}  // namespace
}  // namespace martlet::io
