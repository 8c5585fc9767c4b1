// SPDX-License-Identifier: Apache-2.0
//
// Goal: memory that a connection cannot have on its loop loses it its stream at most, as if the
// server had broken it; it comes again, and can be closed. Method: a scripted server on the same
// thread; the n-th allocation of the connection's turns fails (and, in a second round, all that
// follow), until none does.
#include <algorithm>

#include "base/out_of_memory.hpp"
#include "tests/support/failing_memory.hpp"
#include "tests/unit/client/fake_server.hpp"

namespace martlet::client {
namespace {

class ClientOutOfMemoryTest : public FakeServerTest {
 protected:
  void turn_without(test::FailingMemory& memory) {
    bool fits = true;
    memory.during([&] {
      for (int i = 0; i < 6; ++i)
        fits = fits_into_memory([&] { (void)connection->process().is_ok(); }) && fits;
    });
    EXPECT_TRUE(fits) << "thrown at the caller";
  }

  // Does the server's part until the connection is there (again).
  bool comes_back() {
    int answered = 0;
    return turn_until([&] {
      server->hear();
      if (server->dials != answered && server->heard.find("PING\r\n") != std::string::npos) {
        answered = server->dials;
        server->say("PONG\r\n");
      }
      return connection->state() == ConnectionState::connected && turns_quietly();
    });
  }
  bool turns_quietly() {
    const int dials = server->dials;
    turn(8);
    return server->dials == dials && connection->state() == ConnectionState::connected;
  }

  void expect_end() {
    ASSERT_TRUE(connection->close().is_ok());
    EXPECT_EQ(connection->state(), ConnectionState::closed);
    const std::vector<std::string> all = completions();
    ASSERT_FALSE(all.empty());
    const std::string closed = std::to_string(static_cast<int>(CompletionKind::closed)) + " ";
    EXPECT_EQ(std::count_if(all.begin(), all.end(),
                            [&](const std::string& text) { return text.starts_with(closed); }),
              1);
    connection.reset();
  }

  template <typename Round>
  void sweep(const Round& round) {
    for (const test::Failing failing : {test::Failing::once, test::Failing::for_good}) {
      const int64_t failures = test::fail_each_allocation(failing, [&](auto& memory) {
        server = std::make_shared<FakeServer>();
        make();
        round(memory);
      });
      if (HasFailure()) return;
      EXPECT_GT(failures, 0);
    }
  }
};

TEST_F(ClientOutOfMemoryTest, WhatArrivesLosesTheStreamAtMost) {
  sweep([&](test::FailingMemory& memory) {
    EXPECT_TRUE(connection->start().is_ok());
    finish_handshake();
    const std::unique_ptr<Subscription> subscription = subscribe("a");
    completions();
    const std::string large(900, 'l');
    server->say("PING\r\nMSG a 1 3\r\none\r\nMSG a 1 900\r\n" + large +
                "\r\n-ERR 'Permissions Violation for Publish to \"x\"'\r\nMSG a 1 3\r\ntwo\r\n");
    turn_without(memory);
    EXPECT_TRUE(comes_back());
    completions();
    server->say("MSG a 1 5\r\nafter\r\n");
    const std::vector<std::string> all = completions();
    EXPECT_TRUE(std::find(all.begin(), all.end(), "1 0 1 a after") != all.end());
    expect_end();
  });
}

TEST_F(ClientOutOfMemoryTest, ConnectingIsTriedAgain) {
  options.retry_on_first_connect = true;
  options.connect_timeout_ms = 50;
  sweep([&](test::FailingMemory& memory) {
    EXPECT_TRUE(connection->start().is_ok());
    server->hear();
    turn_without(memory);
    EXPECT_TRUE(comes_back());
    const std::unique_ptr<Subscription> subscription = subscribe("a");
    turn();
    server->say("MSG a 1 5\r\nafter\r\n");
    const std::vector<std::string> all = completions();
    EXPECT_TRUE(std::find(all.begin(), all.end(), "1 0 1 a after") != all.end());
    expect_end();
  });
}

}  // namespace
}  // namespace martlet::client
