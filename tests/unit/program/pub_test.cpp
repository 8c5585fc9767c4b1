// SPDX-License-Identifier: Apache-2.0
//
// Goal: `pub` publishes what it was told, as often as it was told, and says so.
#include "program/pub.hpp"

#include "program/sub.hpp"
#include "tests/unit/program/client_tool_test.hpp"

namespace martlet::program {
namespace {

using PubTest = ClientToolTest;

TEST_F(PubTest, PublishesMany) {
  const Ran ran = run(run_sub, {"n.*", "--raw", "--count", "3"}, 1, [this] {
    EXPECT_EQ(run_pub("martlet pub",
                      with_server({"n.{{Count}}", "message {{Count}}", "--count=3", "-q"})),
              0);
  });
  EXPECT_EQ(ran.out, "message 1\nmessage 2\nmessage 3\n");
}

TEST_F(PubTest, SaysWhatItDid) {
  EXPECT_NE(run(run_pub, {"a", "hello"}).err.find("Published 5 bytes to \"a\""), std::string::npos);
  EXPECT_EQ(run(run_pub, {"a", "hello", "-q"}).err, "");
}

TEST_F(PubTest, SaysWhatIsWrong) {
  const Ran subject = run_without_server(run_pub, {"a b", "x"});
  EXPECT_EQ(subject.status, 1);
  EXPECT_EQ(
      subject.err,
      "martlet tool: \"a b\" cannot be published to: it holds a space, a tab or a line end\n");
  EXPECT_EQ(run_without_server(run_pub, {"a.{{Random 0 0}}", "x"}).err,
            "martlet tool: \"a.\" cannot be published to: a token of it is empty\n");
  EXPECT_EQ(run_without_server(run_pub, {"a", "x", "--reply", "r.*"}).err,
            "martlet tool: \"r.*\" cannot be a reply subject: wildcards are for subscriptions\n");
  EXPECT_EQ(run(run_pub, {"a", "x", "-H", "nocolon"}).status, 1);
  EXPECT_EQ(run(run_pub, {"a", "x", "--send-on", "never"}).status, 1);
  EXPECT_EQ(run(run_pub, {}).status, 2);
}

}  // namespace
}  // namespace martlet::program
