// SPDX-License-Identifier: Apache-2.0
//
// Goal: what the client tools share: mistakes, headers, and the texts in a body.
#include "program/client_tool.hpp"

#include "tests/unit/program/client_tool_test.hpp"

namespace martlet::program {
namespace {

TEST(ClientTool, CountsItsWords) {
  testing::internal::CaptureStderr();
  ClientTool few("martlet tool", "A [B]", "About.");
  EXPECT_FALSE(few.begin({}, 1, 2));
  EXPECT_EQ(few.exit_status(), 2);
  ClientTool many("martlet tool", "A [B]", "About.");
  EXPECT_FALSE(many.begin({"a", "b", "c"}, 1, 2));
  ClientTool right("martlet tool", "A [B]", "About.");
  EXPECT_TRUE(right.begin({"a", "b"}, 1, 2));
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "martlet tool: a subject is missing; try --help\nmartlet tool: unexpected \"c\"; try "
            "--help\n");
}

TEST(ClientTool, SaysWhyItCannotConnect) {
  ClientTool tool("martlet tool", "", "");
  ASSERT_TRUE(tool.begin({"-s", "127.0.0.1:1"}, 0, 0));
  const Result<ClientTool::Session> session = tool.connect(client::RunMode::driven_by_caller);
  ASSERT_EQ(session.code(), ErrorCode::no_servers);
  EXPECT_EQ(session.error().context, "nats://127.0.0.1:1: Connection refused");
  testing::internal::CaptureStderr();
  EXPECT_EQ(tool.fail(session.error()), 1);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "martlet tool: nats://127.0.0.1:1: Connection refused\n");
}

TEST(HeadersOfFlags, AreABlock) {
  EXPECT_EQ(*headers_of_flags({}), "");
  EXPECT_EQ(*headers_of_flags({"A:1", " B : two words "}),
            "NATS/1.0\r\nA: 1\r\nB: two words\r\n\r\n");
  EXPECT_FALSE(headers_of_flags({"no colon"}).is_ok());
  EXPECT_FALSE(headers_of_flags({":v"}).is_ok());
}

TEST(BodyTemplate, FillsInWhatItKnows) {
  BodyTemplate body(true);
  EXPECT_EQ(body.fill("n {{Count}} of {{ Count }}", 7), "n 7 of 7");
  EXPECT_EQ(body.fill("{{.Request}}!", 1, "what"), "what!");
  EXPECT_EQ(body.fill("{{Unknown}} {{", 1), "{{Unknown}} {{");
  EXPECT_EQ(body.fill("{{ID}}", 1).size(), 22u);
  EXPECT_EQ(body.fill("{{Time}}", 1).size(), 8u);
  const size_t random = body.fill("{{Random 3 5}}", 1).size();
  EXPECT_TRUE(random >= 3 && random <= 5);
  EXPECT_GT(body.fill("{{UnixNano}}", 1).size(), body.fill("{{Unix}}", 1).size());
  EXPECT_EQ(body.fill("{{TimeStamp}}", 1)[10], 'T');
  EXPECT_EQ(BodyTemplate(false).fill("{{Count}}", 7), "{{Count}}");
}

}  // namespace
}  // namespace martlet::program
