// SPDX-License-Identifier: Apache-2.0
//
// Goal: `reply` answers with its text or with what it got, and ends after its count.
#include "program/reply.hpp"

#include "program/request.hpp"
#include "tests/unit/program/client_tool_test.hpp"

namespace martlet::program {
namespace {

using ReplyTest = ClientToolTest;

TEST_F(ReplyTest, AnswersWithATextOrAnEcho) {
  const Ran text =
      run(run_reply, {"svc", "{{Request}} to you, {{Count}}", "--count", "2"}, 1, [this] {
        EXPECT_EQ(run_request("martlet request", with_server({"svc", "hi", "--raw"})), 0);
        EXPECT_EQ(run_request("martlet request", with_server({"svc", "ho", "--raw"})), 0);
      });
  EXPECT_EQ(text.status, 0);
  EXPECT_NE(text.out.find("hi to you, 1\n"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("ho to you, 2\n"), std::string::npos);
  EXPECT_NE(text.err.find("Listening on \"svc\" in group \"NATS-RPLY-22\""), std::string::npos);
  const Ran echo = run(run_reply, {"svc", "--echo", "--count", "1"}, 1, [this] {
    EXPECT_EQ(run_request("martlet request", with_server({"svc", "same", "-H", "K:v"})), 0);
  });
  EXPECT_NE(echo.out.find("K: v\n\nsame\n"), std::string::npos) << echo.out;
}

TEST_F(ReplyTest, SaysThatTheConnectionWasLostAndIsThereAgain) {
  const Ran ran = run(run_reply, {"svc", "x", "--count", "1"}, 1, [this] {
    server::Options options = server->options();
    options.port = server->client_port();
    server = std::move(*server::Server::create(options, nullptr));  // The first one is gone.
    ASSERT_TRUE(server->start().is_ok());
    wait_for_subscriptions(1);
    EXPECT_EQ(run_request("martlet request", with_server({"svc", "hi", "--raw"})), 0);
  });
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_NE(ran.err.find("the server closed the connection\n"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("Reconnected to nats://127.0.0.1:"), std::string::npos) << ran.err;
}

TEST_F(ReplyTest, WantsAnAnswer) { EXPECT_EQ(run(run_reply, {"svc"}).status, 1); }

TEST_F(ReplyTest, RefusesWhatIsNoSubject) {
  const Ran ran = run_without_server(run_reply, {"a..b", "x"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_NE(ran.err.find("\"a..b\" cannot be subscribed to: "), std::string::npos) << ran.err;
}

}  // namespace
}  // namespace martlet::program
