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

}  // namespace
}  // namespace martlet::client
