// SPDX-License-Identifier: Apache-2.0
//
// Goal: a session's lines look as in nats-server's log, and hold no secret. Method: a sink that
// keeps the lines; the texts are those that nats-server 2.15.2 printed with -DV.
#include "broker/session_log.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace martlet::broker {
namespace {

class KeptLines final : public LogSink {
 public:
  void write(LogLevel level, std::string_view line) override {
    levels.push_back(level);
    lines.emplace_back(line);
  }
  std::vector<LogLevel> levels;
  std::vector<std::string> lines;
};

class SessionLogTest : public testing::Test {
 protected:
  SessionLog log(int64_t payload_bytes_max = 0) {
    return SessionLog(Logger(&sink_, LogLevel::trace), "L", payload_bytes_max);
  }
  std::string last() const { return sink_.lines.empty() ? "" : sink_.lines.back(); }

  KeptLines sink_;
};

TEST_F(SessionLogTest, a_default_one_is_silent) {
  const SessionLog log;
  log.write(LogLevel::fatal, "x");
  log.trace_out("PONG\r\n");
}

TEST_F(SessionLogTest, only_wanted_levels_are_written) {
  const SessionLog quiet(Logger(&sink_, LogLevel::info), "L", 0);
  quiet.write(LogLevel::debug, "x");
  EXPECT_TRUE(sink_.lines.empty());
  quiet.write(LogLevel::error, "y");
  EXPECT_EQ(sink_.lines, std::vector<std::string>{"L - y"});
  EXPECT_EQ(sink_.levels, std::vector<LogLevel>{LogLevel::error});
}

TEST_F(SessionLogTest, a_client_is_named_once_as_it_names_itself) {
  protocol::ConnectOptions connect;
  connect.version = "1.2";
  connect.language = "py";
  connect.name = "n";
  connect.user = "joe";
  SessionLog named = log();
  named.name(connect, "$G", false);
  EXPECT_EQ(named.label(), R"(L - "v1.2:py:n" - "$G/user:joe")");
  named.name(connect, "$G", false);
  EXPECT_EQ(named.label(), R"(L - "v1.2:py:n" - "$G/user:joe")");

  SessionLog by_token = log();
  by_token.name({}, "A", true);
  EXPECT_EQ(by_token.label(), R"(L - "A/token")");
}

TEST_F(SessionLogTest, what_came_in) {
  protocol::Operation operation;
  operation.kind = protocol::OperationKind::publish;
  operation.argument = "a 2";
  operation.payload = "h\n";
  log().trace_in(operation);
  EXPECT_EQ(sink_.lines,
            (std::vector<std::string>{"L - <<- [PUB a 2]", R"(L - <<- MSG_PAYLOAD: ["h\n"])"}));
  operation.has_headers = true;
  operation.payload = "";
  log().trace_in(operation);
  EXPECT_EQ(last(), "L - <<- [HPUB a 2]");
  operation = {};
  log().trace_in(operation);
  EXPECT_EQ(last(), "L - <<- [PING]");
  const size_t count = sink_.lines.size();
  operation.kind = protocol::OperationKind::info;
  log().trace_in(operation);
  EXPECT_EQ(sink_.lines.size(), count);
}

TEST_F(SessionLogTest, no_secret_is_traced) {
  protocol::Operation operation;
  operation.kind = protocol::OperationKind::connect;
  operation.argument = R"({"pass":"secret"})";
  log().trace_in(operation);
  EXPECT_EQ(last(), "L - <<- [CONNECT {…}]");
}

TEST_F(SessionLogTest, what_went_out) {
  log().trace_out("INFO {} \r\n");
  EXPECT_TRUE(sink_.lines.empty());
  log().trace_out("PONG\r\n");
  EXPECT_EQ(last(), "L - ->> [PONG]");
  log().trace_out("+OK\r\n");
  EXPECT_EQ(last(), "L - ->> [OK]");
  log().trace_out("-ERR 'Stale Connection'\r\n");
  EXPECT_EQ(last(), "L - ->> [-ERR Stale Connection]");
}

TEST_F(SessionLogTest, messages_show_no_more_of_their_payload_than_asked_for) {
  Message message;
  message.subject = "a";
  log().trace_message("1", message, false, "");
  EXPECT_EQ(sink_.lines, std::vector<std::string>{"L - ->> [MSG a 1 0]"});
  message.reply = "r";
  message.header_bytes = 12;
  log(5).trace_message("1", message, true, "NATS/1.0\r\n\r\nhi");
  EXPECT_EQ(sink_.lines[1], "L - ->> [HMSG a 1 r 12 14]");
  EXPECT_EQ(sink_.lines[2], R"(L - ->> MSG_PAYLOAD: ["NATS/..."])");
  log(2).trace_message("1", message, false, "hi");
  EXPECT_EQ(last(), R"(L - ->> MSG_PAYLOAD: ["hi"])");
}

}  // namespace
}  // namespace martlet::broker
