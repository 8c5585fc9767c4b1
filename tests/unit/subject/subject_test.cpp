// SPDX-License-Identifier: Apache-2.0
//
// Goal: the rules of subject text are those of nats-server 2.15.2. Method: tables whose verdicts
// were taken from that server, by SUB and by PUB of a pedantic client; lengths of a million tokens.
#include "subject/subject.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace martlet::subject {
namespace {

using namespace std::string_view_literals;

struct Verdict {
  std::string_view subject;
  bool subscribe;
  bool publish;
};

const std::vector<Verdict> verdicts = {
    {"a", true, true},       {"a.b", true, true},       {"*", true, false},
    {">", true, false},      {"a.*", true, false},      {"a.>", true, false},
    {"a.>.b", false, false}, {">.a", false, false},     {"a..b", false, false},
    {".a", false, false},    {"a.", false, false},      {".", false, false},
    {"..", false, false},    {"a*", true, true},        {"*a", true, true},
    {"a>b", true, true},     {">>", true, true},        {"**", true, true},
    {"a.**", true, true},    {"a.>>", true, true},      {"a\fb", true, true},
    {"\f", true, true},      {"a.\f", true, true},      {"a\0b"sv, true, true},
    {"\0"sv, true, true},    {"\xff", true, true},      {"a.\xff\xfe.b", true, true},
    {"a\vb", true, true},    {"\x7f", true, true},      {"\xc2\xa0", true, true},
    {"$SYS.x", true, true},  {"_INBOX.>", true, false}, {"*.*.>", true, false},
    {"*.>.*", false, false}, {"a.>.", false, false},    {">.", false, false},
    {".>", false, false},    {"*.", false, false},      {"a.*.b.*", true, false},
    {"", false, false},      {"a b", false, false},     {"a\tb", false, false},
    {"a\rb", false, false},  {"a.b\n", false, false},   {" ", false, false},
};

TEST(Subject, validity_is_that_of_nats_server) {
  for (const Verdict& verdict : verdicts) {
    EXPECT_EQ(is_valid(verdict.subject), verdict.subscribe) << verdict.subject;
    EXPECT_EQ(is_valid_literal(verdict.subject), verdict.publish) << verdict.subject;
  }
}

TEST(Subject, a_fault_is_named_exactly_where_there_is_one) {
  for (const std::string_view subject : {"a", "a.b", "*", ">", "a.*", "a.>", "", ".", "a..b", "a.",
                                         ".a", ">.a", "a b", "a\r", "*.b c", "a.>.b"}) {
    EXPECT_EQ(fault_of(subject, false).empty(), is_valid(subject)) << subject;
    EXPECT_EQ(fault_of(subject, true).empty(), is_valid_literal(subject)) << subject;
  }
  EXPECT_EQ(fault_of("", true), "it is empty");
  EXPECT_EQ(fault_of("a b", true), "it holds a space, a tab or a line end");
  EXPECT_EQ(fault_of("a..b", false), "a token of it is empty");
  EXPECT_EQ(fault_of("a.*", true), "wildcards are for subscriptions");
  EXPECT_EQ(fault_of(">.a", false), "nothing may follow the wildcard >");
}

TEST(Subject, plain_tokens_are_neither_empty_nor_wildcards) {
  for (const std::string_view plain :
       {"a", "a.b", "a*", "*a.>b", ">>", "fo\ro", "a b", "\t", "\n"}) {
    EXPECT_TRUE(has_plain_tokens(plain)) << plain;
  }
  for (const std::string_view other :
       {"", ".", "a.", ".a", "a..b", "*", ">", "a.*", "*.a", "a.>", ">.a", "a.*.b"}) {
    EXPECT_FALSE(has_plain_tokens(other)) << other;
  }
}

TEST(Subject, literal_means_no_wildcard_as_a_whole_token) {
  for (const std::string_view literal :
       {"a", "a.b", "a*", "*a.>b", ">>", "**.a", "", ".", "a..b"}) {
    EXPECT_TRUE(is_literal(literal)) << literal;
  }
  for (const std::string_view pattern : {"*", ">", "a.*", "*.a", "a.*.b", "a.>", ">.a", ".*."}) {
    EXPECT_FALSE(is_literal(pattern)) << pattern;
  }
}

TEST(Subject, tokens_are_counted_with_the_empty_ones) {
  EXPECT_EQ(token_count(""), 0U);
  EXPECT_EQ(token_count("a"), 1U);
  EXPECT_EQ(token_count("a.b"), 2U);
  EXPECT_EQ(token_count("."), 2U);
  EXPECT_EQ(token_count("a..b"), 3U);
}

// Each row: what was published, and which of the subscriptions below got it from nats-server.
const std::vector<std::string_view> subscriptions = {"a",   "a.b",   "*",     ">",    "a.*",  "a.>",
                                                     "*.b", "*.*",   "*.>",   "a*",   "a.b>", "**",
                                                     ">>",  "a.*.c", "a.b.>", "*.*.*"};
struct Delivery {
  std::string_view published;
  std::vector<std::string_view> reached;
};
const std::vector<Delivery> deliveries = {
    {"a", {"a", "*", ">"}},
    {"a.b", {"a.b", ">", "a.*", "a.>", "*.b", "*.*", "*.>"}},
    {"*", {"*", ">"}},
    {">", {"*", ">"}},
    {"a.*", {">", "a.*", "a.>", "*.*", "*.>"}},
    {"a.>", {">", "a.*", "a.>", "*.*", "*.>"}},
    {"*.b", {">", "*.b", "*.*", "*.>"}},
    {"*.*", {">", "*.*", "*.>"}},
    {"*.>", {">", "*.*", "*.>"}},
    {">.b", {">", "*.b", "*.*", "*.>"}},
    {">.>", {">", "*.*", "*.>"}},
    {"a.>.c", {">", "a.>", "*.>", "a.*.c", "*.*.*"}},
    {"a.*.c", {">", "a.>", "*.>", "a.*.c", "*.*.*"}},
    {"a..b", {}},
    {".a", {}},
    {"a.", {}},
    {".", {}},
    {"..", {}},
    {"a.b.", {}},
    {"a*", {"*", ">", "a*"}},
    {"**", {"*", ">", "**"}},
    {">>", {"*", ">", ">>"}},
    {"a.b>", {">", "a.*", "a.>", "*.*", "*.>", "a.b>"}},
    {"a.b.c", {">", "a.>", "*.>", "a.*.c", "a.b.>", "*.*.*"}},
    {"a..", {}},
    {".a.b", {}},
    {">.", {}},
    {"*.", {}},
};

TEST(Subject, deliveries_are_those_of_nats_server) {
  for (const Delivery& delivery : deliveries) {
    std::vector<std::string_view> reached;
    for (const std::string_view subscription : subscriptions) {
      if (matches(subscription, delivery.published)) reached.push_back(subscription);
    }
    EXPECT_EQ(reached, delivery.reached) << delivery.published;
  }
}

TEST(Subject, a_pattern_that_is_not_valid_matches_nothing) {
  EXPECT_FALSE(matches("", ""));
  EXPECT_FALSE(matches("", "a"));
  EXPECT_FALSE(matches("a..b", "a..b"));
  EXPECT_FALSE(matches("a.", "a."));
  EXPECT_FALSE(matches(">.a", "b.a"));
}

struct Subset {
  std::string_view inner;
  std::string_view outer;
  bool is;
};

TEST(Subject, subsets) {
  const std::vector<Subset> rows = {
      {"a", "a", true},       {"a", "*", true},          {"a", ">", true},
      {"*", "a", false},      {"*", "*", true},          {"*", ">", true},
      {">", "*", false},      {">", ">", true},          {"a.b", "a.*", true},
      {"a.b", "a.>", true},   {"a.b", "*", false},       {"a.*", "a.b", false},
      {"a.*", "*.*", true},   {"a.*", "a.>", true},      {"a.>", "a.*", false},
      {"a.>", ">", true},     {"a.>", "a.>", true},      {">", "a.>", false},
      {"a.*.c", "a.>", true}, {"a.*.c", "*.b.*", false}, {"*.b", "a.*", false},
      {"a", "a.>", false},    {"a.b.c", "a.b", false},   {"a.b", "a.b.c", false},
      {"*.>", ">", true},     {">", "*.>", false},       {"a*", "*", true},
      {"*", "a*", false},     {"a..b", ">", false},      {"a", "", false},
      {"", ">", false},
  };
  for (const Subset& row : rows)
    EXPECT_EQ(is_subset(row.inner, row.outer), row.is) << row.inner << " in " << row.outer;
}

TEST(Subject, a_million_tokens_cost_a_walk) {
  std::string text = "a";
  for (int i = 1; i < 1'000'000; ++i) text += ".a";
  EXPECT_TRUE(is_valid(text));
  EXPECT_TRUE(is_valid_literal(text));
  EXPECT_TRUE(is_literal(text));
  EXPECT_EQ(token_count(text), 1'000'000U);
  EXPECT_TRUE(matches(text, text));
  EXPECT_TRUE(matches(">", text));
  EXPECT_TRUE(is_subset(text, "a.>"));
  EXPECT_FALSE(matches(">", text + "."));
  EXPECT_FALSE(is_valid(text + ".>.a"));
}

}  // namespace
}  // namespace martlet::subject
