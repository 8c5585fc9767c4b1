// SPDX-License-Identifier: Apache-2.0
//
// Goal: header blocks are built and read as on the wire, and what could break the wire is refused.
#include "client/header_block.hpp"

#include <gtest/gtest.h>

namespace martlet::client {
namespace {

TEST(HeaderBlock, BuildsWhatItReads) {
  HeaderBlockBuilder builder;
  EXPECT_EQ(builder.text(), "");
  ASSERT_TRUE(builder.add("A", "1").is_ok());
  ASSERT_TRUE(builder.add("b", "two words").is_ok());
  ASSERT_TRUE(builder.add("A", "").is_ok());
  const std::string block = builder.text();
  EXPECT_EQ(block, "NATS/1.0\r\nA: 1\r\nb: two words\r\nA: \r\n\r\n");
  EXPECT_TRUE(check_header_block(block).is_ok());
  std::string seen;
  for_each_header(block, [&](std::string_view key, std::string_view value) {
    seen.append(key).append("=").append(value).append(";");
  });
  EXPECT_EQ(seen, "A=1;b=two words;A=;");
  std::string_view value;
  EXPECT_TRUE(find_header(block, "b", &value));
  EXPECT_EQ(value, "two words");
  EXPECT_FALSE(find_header(block, "B", &value));
}

TEST(HeaderBlock, RefusesWhatBreaksTheWire) {
  HeaderBlockBuilder builder;
  EXPECT_FALSE(builder.add("", "x").is_ok());
  EXPECT_FALSE(builder.add("a b", "x").is_ok());
  EXPECT_FALSE(builder.add("a:b", "x").is_ok());
  EXPECT_FALSE(builder.add("a\r", "x").is_ok());
  EXPECT_FALSE(builder
                   .add("gr\xc3\xb6\xc3\x9f"
                        "e",
                        "x")
                   .is_ok());
  EXPECT_FALSE(builder.add("a", "x\ny").is_ok());
  for (const char* block : {"", "NATS/1.0\r\n", "HTTP/1.1\r\n\r\n", "NATS/1.0\r\nA: 1\r\n",
                            "NATS/1.0\r\nnocolon\r\n\r\n", "NATS/1.0\r\n: x\r\n\r\n",
                            "NATS/1.0\r\na: x\ny\r\n\r\n", "NATS/1.0\r\n\r\nA: 1\r\n\r\n"}) {
    EXPECT_FALSE(check_header_block(block).is_ok()) << block;
  }
  EXPECT_TRUE(check_header_block("NATS/1.0\r\n\r\n").is_ok());
  EXPECT_TRUE(check_header_block("NATS/1.0 100 Idle\r\n\r\n").is_ok());
}

TEST(HeaderBlock, ReadsStatus) {
  EXPECT_EQ(header_status("NATS/1.0 503\r\n\r\n"), 503);
  EXPECT_EQ(header_status("NATS/1.0 408 Request Timeout\r\nA: 1\r\n\r\n"), 408);
  EXPECT_EQ(header_description("NATS/1.0 408 Request Timeout\r\nA: 1\r\n\r\n"), "Request Timeout");
  EXPECT_EQ(header_status("NATS/1.0\r\nA: 503\r\n\r\n"), 0);
  EXPECT_EQ(header_status(""), 0);
}

}  // namespace
}  // namespace martlet::client
