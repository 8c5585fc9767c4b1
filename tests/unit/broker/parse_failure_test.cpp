// SPDX-License-Identifier: Apache-2.0
//
// Goal: the log says of unreadable bytes what nats-server's log says. Method: the parser reads each
// line; the sentences are those that nats-server 2.15.2 printed for the same bytes
// (tests/program/log_oracle.py holds them against it).
#include "broker/parse_failure.hpp"

#include <gtest/gtest.h>

namespace martlet::broker {
namespace {

std::string failure_of(std::string_view line, bool headers = true) {
  protocol::ParserLimits limits;
  limits.headers = headers;
  limits.payload_bytes_max = 100;
  limits.control_line_bytes_max = 64;
  protocol::Parser parser(limits);
  std::string bytes(line);
  bytes.append(protocol::Parser::slack_bytes, '\0');
  protocol::Operation operation;
  size_t consumed = 0;
  size_t needed = 0;
  const char* const begin = bytes.data();
  const protocol::ParseResult result =
      parser.next(begin, begin + line.size(), operation, consumed, needed);
  EXPECT_NE(result, protocol::ParseResult::operation) << line;
  EXPECT_NE(result, protocol::ParseResult::incomplete) << line;
  return parse_failure_text(result, operation, {begin, line.size()}, limits.payload_bytes_max);
}

TEST(ParseFailure, publishes) {
  EXPECT_EQ(failure_of("PUB a\r\n"), R"(processPub Parse Error: "a")");
  EXPECT_EQ(failure_of("PUB a b c d\r\n"), R"(processPub Parse Error: "a b c d")");
  EXPECT_EQ(failure_of("PUB \xff\x01\"\r\n"), R"(processPub Parse Error: "\xff\x01\"")");
  EXPECT_EQ(failure_of("PUB a x\r\n"), R"(processPub Bad or Missing Size: "a x")");
  EXPECT_EQ(failure_of("PUB a -1\r\n"), R"(processPub Bad or Missing Size: "a -1")");
  EXPECT_EQ(failure_of("PUB a 101\r\n"), "maximum payload exceeded: 101 vs 100");
  EXPECT_EQ(failure_of("PUB a-longer-subject-than-the-short-way 101\r\n"),
            "maximum payload exceeded: 101 vs 100");
}

TEST(ParseFailure, publishes_with_headers) {
  EXPECT_EQ(failure_of("HPUB a 12 14\r\n", false), "message headers not supported");
  EXPECT_EQ(failure_of("HPUB a 12\r\n"), R"(processHeaderPub Parse Error: "a 12")");
  EXPECT_EQ(failure_of("HPUB a x 14\r\n"),
            R"(processHeaderPub Bad or Missing Header Size: "a x 14")");
  EXPECT_EQ(failure_of("HPUB a 12 x\r\n"),
            R"(processHeaderPub Bad or Missing Total Size: "a 12 x")");
  EXPECT_EQ(failure_of("HPUB a 20 14\r\n"),
            R"(processHeaderPub Header Size larger then TotalSize: "a 20 14")");
  EXPECT_EQ(failure_of("HPUB a 12 200\r\n"), "maximum payload exceeded: 200 vs 100");
}

TEST(ParseFailure, subscriptions) {
  EXPECT_EQ(failure_of("SUB a\r\n"), R"(processSub Parse Error: "a")");
  EXPECT_EQ(failure_of("UNSUB  \t a\t b c \r\n"), R"(processUnsub Parse Error: "a\t b c ")");
}

TEST(ParseFailure, what_is_no_operation_at_all_shows_its_beginning) {
  EXPECT_EQ(failure_of("FOO bar\r\n"), R"(Client parser ERROR: proto='"FOO bar\r\n"...')");
  EXPECT_EQ(failure_of(std::string(40, 'X') + "\r\n"),
            "Client parser ERROR: proto='\"" + std::string(32, 'X') + "\"...'");
  EXPECT_EQ(failure_of("PUB a 2\r\nabcd\r\n"),
            R"(Client parser ERROR: proto='"PUB a 2\r\nabcd\r\n"...')");
}

TEST(ParseFailure, limits) {
  EXPECT_EQ(failure_of("SUB " + std::string(100, 'a')), "maximum control line exceeded");
}

}  // namespace
}  // namespace martlet::broker
