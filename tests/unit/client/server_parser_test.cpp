// SPDX-License-Identifier: Apache-2.0
//
// Goal: the client understands all that a server may say, split at any byte, and refuses the rest.
// Method: one stream of operations, recorded as text, parsed whole and in every split; then one
// malformed line after another.
#include "client/server_parser.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace martlet::client {
namespace {

struct Recorder final : ServerOperations {
  bool on_message(const ServerMessage& m) override {
    if (refusals > 0) {
      --refusals;
      return false;
    }
    seen.push_back("msg " + std::to_string(m.sid) + " " + std::string(m.subject) + " [" +
                   std::string(m.reply) + "] {" + std::string(m.headers) + "} " +
                   std::string(m.data));
    return true;
  }
  void on_info(std::string_view json) override { seen.push_back("info " + std::string(json)); }
  void on_ping() override { seen.push_back("ping"); }
  void on_pong() override { seen.push_back("pong"); }
  void on_error(std::string_view text) override { seen.push_back("error " + std::string(text)); }
  bool is_over() const override { return over; }
  std::vector<std::string> seen;
  int refusals = 0;
  bool over = false;
};

const std::string stream =
    "INFO {\"a\":1} \r\n+OK\r\nPING\r\npong\r\n"
    "MSG a.b 1 5\r\nhello\r\n"
    "MSG\ta.b  12   re.ply\t0\r\n\r\n"
    "HMSG c 3 12 15\r\nNATS/1.0\r\n\r\nxyz\r\n"
    "HMSG c 3 r 12 12\r\nNATS/1.0\r\n\r\n\r\n"
    "msg d 4 4\n\r\n\r\n\r\n"
    "-ERR 'Unknown Protocol Operation'\r\n";

const std::vector<std::string> expected = {"info {\"a\":1}",
                                           "ping",
                                           "pong",
                                           "msg 1 a.b [] {} hello",
                                           "msg 12 a.b [re.ply] {} ",
                                           "msg 3 c [] {NATS/1.0\r\n\r\n} xyz",
                                           "msg 3 c [r] {NATS/1.0\r\n\r\n} ",
                                           "msg 4 d [] {} \r\n\r\n",
                                           "error Unknown Protocol Operation"};

TEST(ServerParser, UnderstandsAll) {
  Recorder recorder;
  const Result<ServerParser::Progress> progress =
      ServerParser().parse(stream.data(), stream.size(), recorder);
  ASSERT_TRUE(progress.is_ok());
  EXPECT_EQ(progress->consumed, stream.size());
  EXPECT_EQ(recorder.seen, expected);
}

TEST(ServerParser, SplitAtEveryByteIsTheSame) {
  for (size_t split = 0; split <= stream.size(); ++split) {
    Recorder recorder;
    const ServerParser parser;
    const Result<ServerParser::Progress> first = parser.parse(stream.data(), split, recorder);
    ASSERT_TRUE(first.is_ok());
    if (first->bytes_needed > 0) {
      EXPECT_GT(first->consumed + first->bytes_needed, split);
    }
    const Result<ServerParser::Progress> second =
        parser.parse(stream.data() + first->consumed, stream.size() - first->consumed, recorder);
    ASSERT_TRUE(second.is_ok());
    ASSERT_EQ(recorder.seen, expected) << "split at " << split;
  }
}

TEST(ServerParser, BlockedMessageIsToldAgain) {
  Recorder recorder;
  recorder.refusals = 1;
  const std::string text = "PING\r\nMSG a 1 1\r\nx\r\n";
  const Result<ServerParser::Progress> first =
      ServerParser().parse(text.data(), text.size(), recorder);
  ASSERT_TRUE(first.is_ok());
  EXPECT_TRUE(first->blocked);
  EXPECT_EQ(first->consumed, 6u);
  ASSERT_TRUE(ServerParser().parse(text.data() + 6, text.size() - 6, recorder).is_ok());
  EXPECT_EQ(recorder.seen, (std::vector<std::string>{"ping", "msg 1 a [] {} x"}));
}

TEST(ServerParser, RefusesWhatIsMalformed) {
  for (const char* text : {"HELLO\r\n", "MSG a 1\r\n", "MSG a 1 r 5 5\r\n", "MSG a x 1\r\n",
                           "MSG a 1 -1\r\n", "MSG a 1 1x\r\n", "MSG a 1 99999999999999999999\r\n",
                           "MSG a 1 999999999999\r\n", "HMSG a 1 5 4\r\n", "HMSG a 1 5\r\n",
                           "MSG a 1 1\r\nxyz", "\r\n", "MSGa 1 1\r\n", "HMSG a 1 r q 1 1\r\n"}) {
    Recorder recorder;
    const Result<ServerParser::Progress> progress =
        ServerParser().parse(text, std::char_traits<char>::length(text), recorder);
    EXPECT_EQ(progress.code(), ErrorCode::protocol) << text;
    EXPECT_TRUE(recorder.seen.empty());
  }
  const std::string endless(ServerParser::line_bytes_max + 2, 'x');
  Recorder recorder;
  EXPECT_FALSE(ServerParser().parse(endless.data(), endless.size(), recorder).is_ok());
}

// Lines in the form that servers write take a shorter way than all others: both must see the same.
TEST(ServerParser, TheShortWayAndTheLongSeeTheSame) {
  for (const char* line : {"MSG a 1 2\r\n",
                           "MSG a 1 77 2\r\n",
                           "MSG a 1 9x 2\r\n",
                           "MSG a 1 r 2\r\n",
                           "MSG a 007 02\r\n",
                           "MSG a 123456789012345678 2\r\n",
                           "MSG a 1234567890123456789 2\r\n",
                           "MSG a 1 \r\n",
                           "MSG a 1 2 \r\n",
                           "MSG  a 1 2\r\n",
                           "MSG a 1 r \r\n",
                           "MSG a \r\n",
                           "MSG \r\n",
                           "MSG a 1 2\n",
                           "MSG a 1 2\rx\r\n",
                           "MSG a\x01b 1 2\r\n",
                           "MSG \xc3\xa9 1 2\r\n",
                           "MSG a 1 r 2 2\r\n",
                           "MSG a 1x 2\r\n",
                           "MSG a 1 18446744073709551618\r\n"}) {
    std::string usual = std::string(line) + "hi\r\n";
    std::string other = usual;
    for (size_t i = 0; other[i] != '\n'; ++i)
      if (other[i] == ' ') other[i] = '\t';
    Recorder of_usual;
    Recorder of_other;
    const Result<ServerParser::Progress> a =
        ServerParser().parse(usual.data(), usual.size(), of_usual);
    const Result<ServerParser::Progress> b =
        ServerParser().parse(other.data(), other.size(), of_other);
    EXPECT_EQ(a.code(), b.code()) << line;
    EXPECT_EQ(of_usual.seen, of_other.seen) << line;
    if (a && b) {
      EXPECT_EQ(a->consumed, b->consumed) << line;
    }
  }
  Recorder recorder;
  const std::string numeric_reply = "MSG a 1 77 2\r\nhi\r\n";
  ASSERT_TRUE(ServerParser().parse(numeric_reply.data(), numeric_reply.size(), recorder).is_ok());
  EXPECT_EQ(recorder.seen, (std::vector<std::string>{"msg 1 a [77] {} hi"}));
}

TEST(ServerParser, StopsWhenItIsOver) {
  Recorder recorder;
  recorder.over = true;
  const Result<ServerParser::Progress> progress =
      ServerParser().parse(stream.data(), stream.size(), recorder);
  ASSERT_TRUE(progress.is_ok());
  EXPECT_EQ(progress->consumed, 0u);
}

}  // namespace
}  // namespace martlet::client
