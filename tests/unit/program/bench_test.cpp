// SPDX-License-Identifier: Apache-2.0
//
// Goal: each bench moves as many messages as it says and reports them.
#include "program/bench.hpp"

#include "tests/unit/program/client_tool_test.hpp"

namespace martlet::program {
namespace {

using BenchTest = ClientToolTest;

TEST_F(BenchTest, Pub) {
  const Ran ran = run(
      run_bench, {"pub", "b", "--msgs", "5000", "--clients=2", "--size", "1KB", "--no-progress"});
  EXPECT_EQ(ran.status, 0);
  EXPECT_TRUE(ran.out.starts_with("pub: 5,000 messages of 1024 bytes by 2 client(s) in "))
      << ran.out;
  EXPECT_EQ(server->statistics().moved.in_msgs, 5000u);
}

TEST_F(BenchTest, SubHearsAll) {
  const Ran ran =
      run(run_bench, {"sub", "b", "--msgs", "3000", "--clients", "2", "--no-progress"}, 2, [this] {
        run_bench("martlet bench", with_server({"pub", "b", "--msgs", "3000", "--no-progress"}));
      });
  EXPECT_EQ(ran.status, 0);
  EXPECT_NE(ran.out.find("sub: 6,000 messages"), std::string::npos) << ran.out;
}

TEST_F(BenchTest, ServiceTellsLatencies) {
  const Ran ran =
      run(run_bench, {"service", "serve", "b", "--msgs", "200", "--no-progress"}, 1, [this] {
        EXPECT_EQ(run_bench("martlet bench", with_server({"service", "request", "b", "--msgs",
                                                          "200", "--no-progress"})),
                  0);
      });
  EXPECT_EQ(ran.status, 0);
  EXPECT_NE(ran.out.find("latency: p50 "), std::string::npos) << ran.out;
}

TEST_F(BenchTest, KnowsItsKinds) {
  EXPECT_EQ(run(run_bench, {"fly", "b"}).status, 1);
  EXPECT_EQ(run(run_bench, {"pub"}).status, 2);
  EXPECT_NE(run(run_bench, {}).err.find("what to measure is missing: pub | sub | "),
            std::string::npos);
  EXPECT_EQ(run(run_bench, {"pub", "a", "b"}).status, 1);
}

TEST_F(BenchTest, RefusesWhatIsNoSubject) {
  const Ran literal = run_without_server(run_bench, {"pub", "b.*"});
  EXPECT_EQ(literal.status, 1);
  EXPECT_NE(literal.err.find("\"b.*\" cannot be published to: "), std::string::npos) << literal.err;
  const Ran pattern = run_without_server(run_bench, {"service", "serve", "b.>.c"});
  EXPECT_NE(pattern.err.find("\"b.>.c\" cannot be subscribed to: "), std::string::npos)
      << pattern.err;
}

}  // namespace
}  // namespace martlet::program
