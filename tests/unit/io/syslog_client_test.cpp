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
#include <unistd.h>

#include <cstring>

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

TEST(SyslogClient, over_udp) {
  const int listener = socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  socklen_t size = sizeof address;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  Result<SyslogClient> client =
      SyslogClient::connect(fmt::format("udp://127.0.0.1:{}", ntohs(address.sin_port)), "martlet");
  ASSERT_TRUE(client);
  client->send(SyslogSeverity::error, 1'795'504'737'000'000'000, "a line");
  const std::string message = receive(listener);
  EXPECT_TRUE(message.starts_with("<27>2026-11-2")) << message;
  EXPECT_TRUE(message.ends_with(fmt::format(" martlet[{}]: a line\n", process_id()))) << message;
  close(listener);
}

TEST(SyslogClient, over_a_unix_socket) {
  const std::string path = testing::TempDir() + fmt::format("syslog_client_test_{}", process_id());
  const int listener = socket(AF_UNIX, SOCK_DGRAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(path.size(), sizeof address.sun_path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  Result<SyslogClient> client = SyslogClient::connect("unix://" + path, "m");
  ASSERT_TRUE(client);
  client->send(SyslogSeverity::notice, 0, "x");
  EXPECT_TRUE(receive(listener).ends_with(fmt::format(" m[{}]: x\n", process_id())));
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
