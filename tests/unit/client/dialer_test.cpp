// SPDX-License-Identifier: Apache-2.0
//
// Goal: an attempt ends with an accepted stream or with the reason why not. Method: scripted
// greetings.
#include "client/dialer.hpp"

#include "tests/unit/client/fake_server.hpp"

namespace martlet::client {
namespace {

class DialerTest : public FakeServerTest {
 protected:
  // Dials with the server's `info` as it is; answers the error of the attempt.
  Error dial_error() {
    make();
    EXPECT_TRUE(connection->start().is_ok());
    EXPECT_TRUE(turn_until([&] {
      if (server->end != nullptr) server->hear();
      return connection->state() == ConnectionState::closed;
    }));
    const Result<Batch> batch = queue->poll(0, 0);
    if (!batch) return Error{};
    EXPECT_EQ(batch->kind(0), CompletionKind::closed);
    return Error{ErrorCode::ok,
                 std::to_string(batch->descriptor(0).status) + " " + std::string(batch->data(0))};
  }
};

TEST_F(DialerTest, SaysConnectAndPing) {
  options.name = "me";
  options.user = "u";
  options.password = "p";
  options.echo = false;
  connect();
  EXPECT_TRUE(server->heard.starts_with("CONNECT {\"lang\":\"c++\"")) << server->heard;
  EXPECT_TRUE(server->heard.ends_with("}\r\nPING\r\n"));
  for (const char* part :
       {"\"name\":\"me\"", "\"user\":\"u\",\"pass\":\"p\"", "\"echo\":false", "\"protocol\":1"}) {
    EXPECT_NE(server->heard.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(connection->server().server_name, "fake");
}

TEST_F(DialerTest, WhatComesBehindThePongIsNotLost) {
  make();
  ASSERT_TRUE(connection->start().is_ok());
  ASSERT_TRUE(turn_until([&] { return server->hear().find("PING\r\n") != std::string::npos; }));
  server->say("+OK\r\nPONG\r\nINFO {\"max_payload\":7,\"headers\":true}\r\nPING\r\n");
  ASSERT_TRUE(turn_until([&] { return connection->state() == ConnectionState::connected; }));
  EXPECT_EQ(said(), "PONG\r\n");
  EXPECT_EQ(connection->server().max_payload_bytes, 7);
}

TEST_F(DialerTest, RefusedCredentials) {
  server->info += "-ERR 'Authorization Violation'\r\n";
  EXPECT_EQ(dial_error().context,
            "-14 the broker in this process: the server said \"Authorization Violation\"");
}

TEST_F(DialerTest, NoServer) {
  server->is_down = true;
  EXPECT_EQ(dial_error().context, "-12 the broker in this process: the fake server is down");
}

TEST_F(DialerTest, SilentServer) {
  server->info = "";
  options.connect_timeout_ms = 20;
  EXPECT_EQ(dial_error().context, "-12 the broker in this process: no answer in time");
}

TEST_F(DialerTest, NoServerOfOurKind) {
  server->info = "SSH-2.0-OpenSSH\r\n";
  EXPECT_EQ(
      dial_error().context,
      "-12 the broker in this process: the server sent an unknown operation: \"SSH-2.0-OpenSSH\"");
}

TEST_F(DialerTest, BrokenInfo) {
  server->info = "INFO {\"headers\":3}\r\n";
  EXPECT_EQ(dial_error().context,
            "-12 the broker in this process: the server's INFO has a field of a wrong type");
}

TEST_F(DialerTest, ServerThatWantsTls) {
  server->info = "INFO {\"tls_required\":true}\r\n";
  EXPECT_TRUE(dial_error().context.starts_with("-21 ")) << "unsupported is told as such";
}

// An attempt by itself, to a name; the resolver answers when the test says so.
class DialByNameTest : public testing::Test, private DialerOwner {
 protected:
  void on_dialed(Dialed) override { error_ = Error{ErrorCode::ok, "dialed"}; }
  void on_dial_failed(Error error) override { error_ = std::move(error); }
  void turn_until_ended() {
    const int64_t until = clock_.monotonic_ns() + 60 * ns_per_s;
    while (!error_ && clock_.monotonic_ns() < until) loop_->run_once(10 * ns_per_ms);
    ASSERT_TRUE(error_.has_value());
  }
  static ServerUrl url(std::string host, uint16_t port) {
    ServerUrl url;
    url.host = std::move(host);
    url.port = port;
    return url;
  }
  const io::SystemClock clock_;
  const std::unique_ptr<io::Loop> loop_ = std::move(*io::Loop::create(clock_));
  ConnectionOptions options_;
  std::optional<Error> error_;
  DialerOwner& owner() { return *this; }
};

TEST_F(DialByNameTest, AResolverThatBlocksEndsWithTheTimeOfTheAttempt) {
  options_.connect_timeout_ms = 20;
  const auto is_open = std::make_shared<std::atomic<bool>>(false);
  Dialer dialer(*loop_, options_, owner(), [is_open](std::string_view, uint16_t port) {
    is_open->wait(false);
    return io::resolve("127.0.0.1", port);
  });
  dialer.dial(url("slow.example", 4222), nullptr);
  turn_until_ended();
  EXPECT_EQ(error_->code, ErrorCode::timeout);
  EXPECT_EQ(error_->context, "nats://slow.example:4222: the host name was not looked up in time");
  *is_open = true;
  is_open->notify_all();
}

TEST_F(DialByNameTest, WhatTheResolverSaysIsTheReason) {
  Dialer dialer(*loop_, options_, owner(),
                [](std::string_view host, uint16_t) -> Result<std::vector<io::Address>> {
                  return Error{ErrorCode::io, "nobody is called " + std::string(host)};
                });
  dialer.dial(url("nobody.example", 4222), nullptr);
  turn_until_ended();
  EXPECT_EQ(error_->code, ErrorCode::no_servers);
  EXPECT_EQ(error_->context, "nats://nobody.example:4222: nobody is called nobody.example");
}

TEST_F(DialByNameTest, EachAddressOfTheNameIsTried) {
  const Result<io::Fd> listener = io::listen_tcp("127.0.0.1", 0, 8);
  ASSERT_TRUE(listener.is_ok());
  const uint16_t port = *io::local_port(listener->get());
  uint16_t nobodys_port = 0;
  {
    const Result<io::Fd> nobody = io::listen_tcp("127.0.0.1", 0, 1);
    nobodys_port = *io::local_port(nobody->get());
  }
  Dialer dialer(*loop_, options_, owner(), [nobodys_port](std::string_view, uint16_t its_port) {
    Result<std::vector<io::Address>> both = io::resolve("127.0.0.1", nobodys_port);
    both->push_back((*io::resolve("127.0.0.1", its_port))[0]);
    return both;
  });
  dialer.dial(url("both.example", port), nullptr);
  io::Accepted accepted;
  const int64_t until = clock_.monotonic_ns() + 60 * ns_per_s;
  while (!accepted.fd.is_open() && !error_ && clock_.monotonic_ns() < until) {
    loop_->run_once(ns_per_ms);
    accepted = io::accept_tcp(listener->get());
  }
  EXPECT_TRUE(accepted.fd.is_open());
  dialer.cancel();
}

}  // namespace
}  // namespace martlet::client
