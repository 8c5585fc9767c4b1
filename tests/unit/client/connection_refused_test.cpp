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

// From another thread than the one that fails, again and again: none of the looks may find it
// closed and without the reason.
TEST(ConnectionRefused, TheReasonIsThereWhenItIsClosed) {
  const SilentPort port;
  const io::SystemClock clock;
  ConnectionOptions options = *parse_connection_options(port.url());
  options.run = RunMode::own_thread;
  for (int i = 0; i < tries; ++i) {
    const std::shared_ptr<ConnectionCore> core =
        *ConnectionCore::create(options, nullptr, nullptr, 0, clock);
    ASSERT_TRUE(core->start().is_ok());
    Status status = core->wait_connected(0);
    const int64_t until = clock.monotonic_ns() + 30 * ns_per_s;
    while (status.code() == ErrorCode::timeout && clock.monotonic_ns() < until)
      status = core->wait_connected(0);
    ASSERT_EQ(status.code(), ErrorCode::no_servers) << "try " << i;
    core->leave();
  }
}

}  // namespace
}  // namespace martlet::client
