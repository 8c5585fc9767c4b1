// SPDX-License-Identifier: Apache-2.0
//
// Goal: the parser reads every form of every verb, refuses what is not one, and does not care where
// reads end. Method: tables of lines; every text is also shown split at every byte, and both ways
// must give the same operations.
#include "protocol/parser.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace martlet::protocol {
namespace {

// All operations of `text` as one line each, then how it ended. `piece` bytes are shown at a time,
// 0: all at once.
std::string parse(const std::string& text, size_t piece = 0,
                  ParserLimits limits = ParserLimits{4096, 1000, true, false}) {
  Parser parser(limits);
  std::string out;
  std::string seen;
  for (size_t at = 0; at <= text.size();) {
    const size_t bytes = piece == 0 ? text.size() : std::min(piece, text.size() - at);
    seen += text.substr(at, bytes);
    at += bytes == 0 ? 1 : bytes;
    for (;;) {
      std::string shown = seen;
      shown.append(Parser::slack_bytes, '\x01');
      Operation op;
      size_t consumed = 0;
      size_t needed = 0;
      const ParseResult result =
          parser.next(shown.data(), shown.data() + seen.size(), op, consumed, needed);
      if (result == ParseResult::incomplete) {
        EXPECT_GT(needed, seen.size() - consumed);
        seen.erase(0, consumed);
        break;
      }
      if (result != ParseResult::operation)
        return out + "!" + std::to_string(static_cast<int>(result));
      EXPECT_GT(consumed, 0U);
      const auto add = [&](const char* name, std::string_view value) {
        out += std::string(name) + std::string(value);
      };
      switch (op.kind) {
        case OperationKind::publish:
          add(op.has_headers ? "H:" : "P:", op.subject);
          add(",", op.reply);
          add(",", std::to_string(op.header_bytes));
          add(",", op.payload);
          break;
        case OperationKind::subscribe:
          add("S:", op.subject);
          add(",", op.queue);
          add(",", op.sid);
          break;
        case OperationKind::unsubscribe:
          add("U:", op.sid);
          add(",", std::to_string(op.max));
          break;
        case OperationKind::peer_publish:
          add("M:", op.payload);
          break;
        case OperationKind::connect:
          add("C:", op.argument);
          break;
        case OperationKind::ping:
          out += "ping";
          break;
        case OperationKind::pong:
          out += "pong";
          break;
        case OperationKind::info:
          add("I:", op.argument);
          break;
        case OperationKind::ok:
          out += "ok";
          break;
        case OperationKind::error:
          add("E:", op.argument);
          break;
      }
      out += ";";
      seen.erase(0, consumed);
    }
    if (piece == 0) break;
  }
  return out + (seen.empty() ? "" : "…");
}

struct Case {
  const char* text;
  const char* expected;
};

const Case cases[] = {
    {"PUB a 2\r\nhi\r\n", "P:a,,0,hi;"},
    {"PUB a r 2\r\nhi\r\n", "P:a,r,0,hi;"},
    {"pub a 2\r\nhi\r\n", "P:a,,0,hi;"},
    {"PuB a 0\r\n\r\n", "P:a,,0,;"},
    {"PUB a 2\nhi\r\n", "P:a,,0,hi;"},
    {"PUB\ta\t2\r\nhi\r\n", "P:a,,0,hi;"},
    {"PUB   a  \t r   2  \r\nhi\r\n", "P:a,r,0,hi;"},
    {"PUB a 002\r\nhi\r\n", "P:a,,0,hi;"},
    {"PUB a 2\r\nhi\r\nPUB b 3\r\nabc\r\nPING\r\n", "P:a,,0,hi;P:b,,0,abc;ping;"},
    {"PUB a.very.long.subject.that.does.not.fit.into.the.short.way x.y.z 2\r\nhi\r\n",
     "P:a.very.long.subject.that.does.not.fit.into.the.short.way,x.y.z,0,hi;"},
    {"HPUB a 3 5\r\nabcde\r\n", "H:a,,3,abcde;"},
    {"HPUB a r 0 0\r\n\r\n", "H:a,r,0,;"},
    {"HMSG a 1 0 0\r\n\r\n", "M:;"},
    {"hmsg whatever it says\r\n\r\nPING\r\n", "M:;ping;"},
    {"SUB a 1\r\n", "S:a,,1;"},
    {"sub a q 1\r\n", "S:a,q,1;"},
    {"SUB a\t q  sid-x\n", "S:a,q,sid-x;"},
    {"UNSUB 1\r\n", "U:1,-1;"},
    {"UNSUB 1 5\r\n", "U:1,5;"},
    {"UNSUB 1 x\r\n", "U:1,-1;"},
    {"PING\r\nPONG\r\nping\npong anything at all\r\n+OK\r\n", "ping;pong;ping;pong;ok;"},
    {"CONNECT {}\r\n", "C:{};"},
    {"CONNECT{}\r\n", "C:{};"},
    {"INFO {}\r\n", "I:{};"},
    {"-ERR 'x'\r\n", "E:'x';"},
    {"PUB a", "…"},
    {"PUB a 2\r\nh", "…"},
    {"PUB a 2\r\nhi\r", "…"},
    // What ends a connection with a word.
    {"X", "!2"},
    {"PUX", "!2"},
    {"PUB\r", "!2"},
    {"PINK", "!2"},
    {"SUBX a", "!2"},
    {"MSG a 1 1\r\n", "!2"},
    {"RS+ a\r\n", "!2"},
    {"PUB a 2\r\nhix", "!2"},
    {"PUB a 2\r\nhi\rx", "!2"},
    {"PUB a 1001\r\n", "!4"},
    {"HPUB a 1 1001\r\n", "!4"},
    // What ends it without one.
    {"PUB a\r\n", "!7"},
    {"PUB a b c 1\r\n", "!7"},
    {"PUB a -1\r\n", "!8"},
    {"PUB a 1x\r\n", "!8"},
    {"PUB a 1000000000\r\n", "!8"},
    {"HPUB a 5 3\r\n", "!10"},
    {"HPUB a 5\r\n", "!7"},
    {"SUB a\r\n", "!7"},
    {"SUB a b c d\r\n", "!7"},
    {"UNSUB 1 2 3\r\n", "!7"},
};

TEST(Parser, reads_every_form_however_it_arrives) {
  for (const Case& one : cases) {
    EXPECT_EQ(parse(one.text), one.expected) << one.text;
    for (const size_t piece : {1UL, 2UL, 3UL, 7UL})
      EXPECT_EQ(parse(one.text, piece), one.expected) << one.text;
  }
}

TEST(Parser, keeps_the_limits) {
  ParserLimits limits{10, -1, false, false};
  EXPECT_EQ(parse("SUB a12345678901 1\r\n", 0, limits), "!3");
  EXPECT_EQ(parse("SUB a1234567890123456789", 1, limits), "!3");
  EXPECT_EQ(parse("SUB a12345 12\r\n", 0, limits), "S:a12345,,12;");
  EXPECT_EQ(parse("HPUB a 1 1\r\n", 0, limits), "!6");
  // Told as soon as it is so, but a CR that may end the line does not count.
  EXPECT_EQ(parse("SUB a12345 123", 0, limits), "…");
  EXPECT_EQ(parse("SUB a12345 123\r", 0, limits), "…");
  EXPECT_EQ(parse("SUB a12345 1234", 0, limits), "!3");
  EXPECT_EQ(parse("SUB a12345 1234\r", 0, limits), "!3");
  limits.connect_required = true;
  EXPECT_EQ(parse("PING\r\n", 0, limits), "!5");
  EXPECT_EQ(parse("CONNECT {}\r\n", 0, limits), "C:{};");
}

// Behind a verb they do not count, wherever reads end; behind an argument they do.
TEST(Parser, takes_blanks_behind_a_verb_without_end) {
  struct Verb {
    std::string text;
    std::string arguments;
    std::string expected;
  };
  const Verb verbs[] = {
      {"PUB", "a 2\r\nhi\r\n", "P:a,,0,hi;"},
      {"HPUB", "a 1 2\r\nhi\r\n", "H:a,,1,hi;"},
      {"HMSG", "a\r\n\r\n", "M:;"},
      {"SUB", "a q 1\r\n", "S:a,q,1;"},
      {"UNSUB", "1 5\r\n", "U:1,5;"},
      {"CONNECT", "{}\r\n", "C:{};"},
      {"INFO", "{}\r\n", "I:{};"},
      {"-ERR", "'x'\r\n", "E:'x';"},
  };
  std::string blanks;
  for (int i = 0; i < 5000; i++) blanks += " \t";
  for (const Verb& verb : verbs) {
    const std::string text = verb.text + blanks + verb.arguments + "PING\r\n";
    for (const size_t piece : {0UL, 1UL, 7UL, 1000UL, verb.text.size() + blanks.size(),
                               verb.text.size() + blanks.size() + 1}) {
      EXPECT_EQ(parse(text, piece), verb.expected + "ping;") << verb.text << " " << piece;
    }
  }
  const std::string spaces(4096, ' ');
  for (const size_t piece : {0UL, 1UL, 1000UL}) {
    EXPECT_EQ(parse("SUB a" + spaces + "1\r\n", piece), "!3") << piece;
    EXPECT_EQ(parse("PUB a 2" + spaces + "\r\n", piece), "!3") << piece;
    EXPECT_EQ(parse(" PING\r\n", piece), "!2") << piece;
  }
}

TEST(Parser, throws_blanks_behind_a_verb_away_without_holding_them) {
  Parser parser(ParserLimits{});
  Operation op;
  size_t consumed = 0;
  size_t needed = 0;
  const std::string slack(Parser::slack_bytes, '\0');
  const std::string begin = "SUB" + std::string(100'000, ' ');
  std::string shown = begin + slack;
  EXPECT_EQ(parser.next(shown.data(), shown.data() + begin.size(), op, consumed, needed),
            ParseResult::incomplete);
  EXPECT_EQ(consumed, begin.size());
  EXPECT_EQ(needed, 1U);
  const std::string middle = std::string(100'000, ' ') + "sub";
  shown = middle + slack;
  EXPECT_EQ(parser.next(shown.data(), shown.data() + middle.size(), op, consumed, needed),
            ParseResult::incomplete);
  EXPECT_EQ(consumed, middle.size() - 3);
  EXPECT_EQ(needed, 4U);
  shown = "subject 1\r\n" + slack;
  EXPECT_EQ(parser.next(shown.data(), shown.data() + 11, op, consumed, needed),
            ParseResult::operation);
  EXPECT_EQ(consumed, 11U);
  EXPECT_EQ(op.kind, OperationKind::subscribe);
  EXPECT_EQ(op.subject, "subject");
}

TEST(Parser, throws_the_rest_of_a_ping_line_away_without_holding_it) {
  Parser parser(ParserLimits{});
  std::string junk = "PING " + std::string(100000, 'x');
  junk.append(Parser::slack_bytes, '\0');
  Operation op;
  size_t consumed = 0;
  size_t needed = 0;
  const size_t bytes = junk.size() - Parser::slack_bytes;
  EXPECT_EQ(parser.next(junk.data(), junk.data() + bytes, op, consumed, needed),
            ParseResult::incomplete);
  EXPECT_EQ(consumed, bytes);
  std::string end = "y\r\n" + std::string(Parser::slack_bytes, '\0');
  EXPECT_EQ(parser.next(end.data(), end.data() + 3, op, consumed, needed), ParseResult::operation);
  EXPECT_EQ(op.kind, OperationKind::ping);
}

struct Peek {
  std::string_view text;
  std::string_view subject;
  size_t bytes;  // 0: it is no whole line of a publish.
};

constexpr Peek peeks[] = {
    {"PUB a.b 3\r\nabc\r\nPING\r\n", "a.b", 16},
    {"pub a.b r 3\r\nabc\r\nP", "a.b", 18},
    {"HPUB a r 12 13\r\nNATS/1.0\r\n\r\nx\r\nPUB", "a", 31},
    {"PUB a 0\n\r\nPUB", "a", 10},
    {"PUB a 100\r\nabc", "a", 14},
    {"PUB a 1\r\na", "a", 10},
    {"PUB a 3", "", 0},
    {"PUB a x\r\n", "", 0},
    {"PUB a \r\n", "", 0},
    {"PUB a\r\n", "", 0},
    {"PUB", "", 0},
    {"HPUB", "", 0},
    {"SUB a 1\r\n", "", 0},
    {"PING\r\n", "", 0},
    {"", "", 0},
};

TEST(Parser, looks_ahead_over_publishes_and_never_behind_the_end) {
  for (const Peek& peek : peeks) {
    // Of exactly its size, so that a sanitizer sees what is read behind it.
    const std::vector<char> text(peek.text.begin(), peek.text.end());
    std::string_view subject;
    const char* const next = peek_publish(text.data(), text.data() + text.size(), subject);
    ASSERT_EQ(next == nullptr ? 0 : static_cast<size_t>(next - text.data()), peek.bytes)
        << peek.text;
    EXPECT_EQ(next == nullptr ? "" : subject, peek.subject);
  }
}

TEST(Parser, reads_sizes_of_one_to_nine_digits) {
  EXPECT_EQ(parse_size("0"), 0);
  EXPECT_EQ(parse_size("999999999"), 999999999);
  EXPECT_EQ(parse_size("1000000000"), -1);
  EXPECT_EQ(parse_size(""), -1);
  EXPECT_EQ(parse_size("+1"), -1);
}

}  // namespace
}  // namespace martlet::protocol
