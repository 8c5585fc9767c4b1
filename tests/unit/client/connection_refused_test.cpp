// SPDX-License-Identifier: Apache-2.0
//
// Goal: who waits for a first connect is told why there is none, whoever turns the loop at that
// moment. Method: a port that is taken and not listened to, tried many times: the thread of the
// connection fails while the caller begins to wait.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "client/connection.hpp"
#include "client/connection_core.hpp"
#include "io/system_clock.hpp"

namespace martlet::client {
namespace {

constexpr int tries = 2000;
constexpr int looks = 300;

// A port of the loopback address that nobody listens on while this lives.
class SilentPort {
 public:
  SilentPort() : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof address;
    EXPECT_EQ(bind(descriptor_, reinterpret_cast<sockaddr*>(&address), bytes), 0);
    EXPECT_EQ(getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &bytes), 0);
    port_ = ntohs(address.sin_port);
  }
  ~SilentPort() { close(descriptor_); }
  std::string url() const { return "nats://127.0.0.1:" + std::to_string(port_); }

 private:
  int descriptor_;
  int port_ = 0;
};

TEST(ConnectionRefused, TheReasonIsTold) {
  const SilentPort port;
  const io::SystemClock clock;
  for (const RunMode run : {RunMode::own_thread, RunMode::driven_by_caller}) {
    ConnectionOptions options = *parse_connection_options(port.url());
    options.run = run;
    for (int i = 0; i < tries; ++i) {
      const std::unique_ptr<Connection> connection =
          std::move(*Connection::create(options, nullptr, 0, clock));
      const Status status = connection->connect();
      ASSERT_EQ(status.code(), ErrorCode::no_servers) << "try " << i;
    }
  }
}

// The thread of the connection turns the loop; the look comes in the moment of the failure, and may
// not find it closed and without the reason.
TEST(ConnectionRefused, TheReasonIsThereWhenItIsClosed) {
  const SilentPort port;
  const io::SystemClock clock;
  ConnectionOptions options = *parse_connection_options(port.url());
  options.run = RunMode::own_thread;
  for (int i = 0; i < looks; ++i) {
    const std::shared_ptr<ConnectionCore> core =
        *ConnectionCore::create(options, nullptr, nullptr, 0, clock);
    ASSERT_TRUE(core->start().is_ok());
    const int64_t until = clock.monotonic_ns() + 30 * ns_per_s;
    while (core->state() == ConnectionState::connecting && clock.monotonic_ns() < until) {
    }
    const Status status = core->wait_connected(30 * ns_per_s);
    ASSERT_EQ(status.code(), ErrorCode::no_servers) << "look " << i;
    core->leave();
  }
}

}  // namespace
}  // namespace martlet::client
