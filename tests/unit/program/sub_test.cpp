// SPDX-License-Identifier: Apache-2.0
//
// Goal: `sub` shows what comes, in each of its ways, and ends when it should.
#include "program/sub.hpp"

#include "program/pub.hpp"
#include "tests/unit/program/client_tool_test.hpp"

namespace martlet::program {
namespace {

class SubTest : public ClientToolTest {
 protected:
  std::function<void()> publishes(std::vector<std::vector<std::string>> all) {
    return [this, all] {
      for (const std::vector<std::string>& words : all) run_pub("martlet pub", with_server(words));
    };
  }
};

TEST_F(SubTest, ShowsMessagesAsTheNatsToolDoes) {
  const Ran ran = run(run_sub, {"a.>", "--count", "2"}, 1,
                      publishes({{"a.b", "hello", "-H", "K:v", "--reply", "r"}, {"a.c", "again"}}));
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.out,
            "[#1] Received on \"a.b\" with reply \"r\"\nK: v\n\nhello\n\n[#2] Received on "
            "\"a.c\"\nagain\n\n");
  EXPECT_NE(ran.err.find("Subscribing on a.>"), std::string::npos);
}

TEST_F(SubTest, ShowsLessWhenAsked) {
  EXPECT_EQ(run(run_sub, {"a", "--raw", "--count=1"}, 1, publishes({{"a", "data"}})).out, "data\n");
  EXPECT_EQ(run(run_sub, {"a", "--subjects-only", "--count=1"}, 1, publishes({{"a", "data"}})).out,
            "a\n");
  EXPECT_EQ(run(run_sub, {"a", "--quiet", "--count=1"}, 1, publishes({{"a", "data"}})).out, "");
  EXPECT_EQ(
      run(run_sub, {"a", "--headers-only", "--count=1"}, 1, publishes({{"a", "data", "-HK:v"}}))
          .out,
      "[#1] Received on \"a\"\nK: v\n\n\n");
  EXPECT_EQ(run(run_sub, {">", "-r", "--count=1", "-I", "no.*"}, 1,
                publishes({{"no.1", "x"}, {"yes", "y"}}))
                .out,
            "y\n");
}

TEST_F(SubTest, EndsWhenNothingComes) {
  EXPECT_EQ(run(run_sub, {"a", "--wait", "30ms"}).status, 0);
}

TEST_F(SubTest, RefusesWhatIsNoSubject) {
  const Ran subject = run_without_server(run_sub, {"a", "a b"});
  EXPECT_EQ(subject.status, 1);
  EXPECT_EQ(
      subject.err,
      "martlet tool: \"a b\" cannot be subscribed to: it holds a space, a tab or a line end\n");
  EXPECT_EQ(run_without_server(run_sub, {"a", "--queue", "a b"}).err,
            "martlet tool: \"a b\" is no name of a queue group\n");
  const Ran none = run_without_server(run_sub, {});
  EXPECT_EQ(none.status, 2);
  EXPECT_EQ(none.err, "martlet tool: a subject is missing; try --help\n");
}

}  // namespace
}  // namespace martlet::program
