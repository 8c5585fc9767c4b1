// SPDX-License-Identifier: Apache-2.0
//
// Goal: flags are understood in each of their forms, and a mistake is said in one sentence.
#include "program/command_line.hpp"

#include <gtest/gtest.h>

namespace martlet::program {
namespace {

struct Values {
  Values() {
    line.add_text('s', "server", "where", &server);
    line.add_texts('H', "header", "headers", &headers);
    line.add_number(0, "count", "how many", &count, 1);
    line.add_duration(0, "sleep", "pause", &sleep_ns);
    line.add_size(0, "size", "size", &size);
    line.add_switch('r', "raw", "raw", &raw);
    line.add_switch('q', "quiet", "quiet", &quiet);
    line.add_switch(0, "templates", "templates", &templates);
  }
  CommandLine line{"[flags] SUBJECT", "About."};
  std::string server;
  std::vector<std::string> headers;
  int64_t count = 1;
  int64_t sleep_ns = 0;
  int64_t size = 0;
  bool raw = false;
  bool quiet = false;
  bool templates = true;
};

TEST(CommandLine, AllForms) {
  Values v;
  const Status status = v.line.parse({"subject", "--server", "a", "--server=b", "-sc", "-s=d", "-H",
                                      "K:v", "-HX:y", "-rq", "--count=3", "--sleep", "1m30s",
                                      "--size=4KB", "--no-templates", "-", "--", "-body"});
  ASSERT_TRUE(status.is_ok()) << status.error().context;
  EXPECT_EQ(v.server, "d");
  EXPECT_EQ(v.headers, (std::vector<std::string>{"K:v", "X:y"}));
  EXPECT_EQ(v.count, 3);
  EXPECT_EQ(v.sleep_ns, 90'000'000'000);
  EXPECT_EQ(v.size, 4096);
  EXPECT_TRUE(v.raw && v.quiet && !v.templates);
  EXPECT_EQ(v.line.positional(), (std::vector<std::string>{"subject", "-", "-body"}));
}

TEST(CommandLine, MistakesAreNamed) {
  const struct {
    std::vector<std::string> words;
    const char* says;
  } cases[] = {
      {{"--bogus"}, "there is no flag --bogus"},
      {{"--no-server"}, "there is no flag --no-server"},
      {{"-x"}, "there is no flag -x"},
      {{"--server"}, "--server needs a value"},
      {{"-s"}, "-s needs a value"},
      {{"--count", "x"}, "--count: \"x\" is no number"},
      {{"--count=0"}, "--count: 0 is below 1"},
      {{"--sleep", "5"}, "--sleep: \"5\" is no duration"},
      {{"--sleep=-5s"}, "--sleep: \"-5s\" is no duration"},
      {{"--size", "4XB"}, "--size: \"4XB\" is no size"},
  };
  for (const auto& c : cases) {
    Values v;
    const Status status = v.line.parse(c.words);
    ASSERT_FALSE(status.is_ok());
    EXPECT_NE(status.error().context.find(c.says), std::string::npos) << status.error().context;
  }
}

TEST(CommandLine, Help) {
  Values v;
  ASSERT_TRUE(v.line.parse({"-h"}).is_ok());
  EXPECT_TRUE(v.line.asks_help());
  const std::string help = v.line.help("martlet pub");
  EXPECT_NE(help.find("Usage: martlet pub [flags] SUBJECT"), std::string::npos);
  EXPECT_NE(help.find("-s, --server ..."), std::string::npos);
}

TEST(ParseSize, Units) {
  EXPECT_EQ(*parse_size("0"), 0);
  EXPECT_EQ(*parse_size("128B"), 128);
  EXPECT_EQ(*parse_size("2k"), 2048);
  EXPECT_EQ(*parse_size("1MiB"), 1048576);
  EXPECT_EQ(*parse_size("1GB"), 1073741824);
  for (const char* text :
       {"", "B", "-1", "1.5K", "1KK", "99999999999999999999", "9999999999999GB"}) {
    EXPECT_FALSE(parse_size(text).is_ok()) << text;
  }
}

}  // namespace
}  // namespace martlet::program
