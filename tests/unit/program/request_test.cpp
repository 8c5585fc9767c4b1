// SPDX-License-Identifier: Apache-2.0
//
// Goal: `request` shows answers, as many as were asked for, and fails when there is none.
#include "program/request.hpp"

#include "program/reply.hpp"
#include "tests/unit/program/client_tool_test.hpp"

namespace martlet::program {
namespace {

using RequestTest = ClientToolTest;

TEST_F(RequestTest, NobodyListens) {
  const Ran ran = run(run_request, {"nobody", "x"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_NE(ran.err.find("No responders are available"), std::string::npos);
}

TEST_F(RequestTest, SeveralAnswers) {
  std::vector<std::thread> services;
  for (const char* group : {"g1", "g2"}) {
    services.emplace_back([this, group] {
      run_reply("martlet reply", with_server({"svc", "answer", "--queue", group, "--count", "1"}));
    });
  }
  wait_for_subscriptions(2);
  const Ran ran = run(run_request, {"svc", "x", "--raw", "--replies", "2"});
  for (std::thread& service : services) service.join();
  EXPECT_EQ(ran.status, 0);
  size_t answers = 0;
  for (size_t at = 0; (at = ran.out.find("answer\n", at)) != std::string::npos; ++at) ++answers;
  EXPECT_EQ(answers, 2u);
}

TEST_F(RequestTest, RefusesWhatIsNoSubject) {
  const Ran ran = run_without_server(run_request, {"a.*", "x"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_NE(ran.err.find("\"a.*\" cannot be published to: "), std::string::npos) << ran.err;
}

TEST_F(RequestTest, SilenceIsAFailure) {
  const Ran ran = run(run_request, {"silent", "x", "--timeout", "50ms"}, 0, {});
  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(run_request("martlet request", {"-s", "127.0.0.1:1", "a", "b"}), 1);
}

}  // namespace
}  // namespace martlet::program
