// SPDX-License-Identifier: Apache-2.0
//
// Goal: single values are recognised for what they are, and places counted as nats-server counts
// them. Method: one scanner for each text.
#include "server/config_scanner.hpp"

#include <gtest/gtest.h>

namespace martlet::server {
namespace {

using Kind = ConfigToken::Kind;

struct Scanned {
  Kind kind;
  std::string text;
};

Scanned scan(std::string_view text) {
  ConfigScanner scanner(text);
  ConfigToken token;
  if (!scanner.scan_scalar(token)) return {Kind::key, scanner.error().value_or("ended")};
  return {token.kind, token.text};
}

void expect_scan(std::string_view text, Kind kind, const std::string& value) {
  const Scanned scanned = scan(text);
  EXPECT_EQ(scanned.kind, kind) << text;
  EXPECT_EQ(scanned.text, value) << text;
}

TEST(ConfigScanner, words_numbers_and_addresses) {
  expect_scan("yes\n", Kind::boolean, "yes");
  expect_scan("OFF;", Kind::boolean, "OFF");
  expect_scan("$HOME }", Kind::variable, "HOME");
  expect_scan("64k\n", Kind::integer, "64k");
  expect_scan("64KiB}", Kind::integer, "64KiB");
  expect_scan("-5", Kind::integer, "-5");
  expect_scan("4.5", Kind::floating, "4.5");
  expect_scan("127.0.0.1:4222", Kind::string, "127.0.0.1:4222");
  expect_scan("0K1abc", Kind::string, "0K1abc");
  expect_scan("1]\n", Kind::string, "1]");
  expect_scan("2016-05-04T18:53:41Z", Kind::datetime, "2016-05-04T18:53:41Z");
  expect_scan("true' ", Kind::string, "true");
}

TEST(ConfigScanner, strings_and_escapes) {
  expect_scan("\"a\\tb\\x41\\\"\"", Kind::string, "a\tbA\"");
  expect_scan("'raw \\n $x'", Kind::string, "raw \\n $x");
  expect_scan("a\\x20b", Kind::string, "a b");
  expect_scan("(\nline one\nline two\n)\n", Kind::string, "\nline one\nline two\n");
  expect_scan("(\n x ) y\n)\nrest", Kind::string, "\n x ) y\n");
}

TEST(ConfigScanner, refusals_name_the_line) {
  EXPECT_EQ(scan("\"a\\q\"").text.substr(0, 53),
            "Parse error on line 1: 'Invalid escape character 'q'.");
  EXPECT_EQ(scan("\"a\n\\x4g\"").text,
            "Parse error on line 2: 'Expected two hexadecimal digits after '\\x', but got '4g''");
  EXPECT_EQ(scan(".5").text, "Parse error on line 1: 'Floats must start with a digit'");
  EXPECT_EQ(scan("\n").text, "Parse error on line 2: 'Expected value but found new line'");
  EXPECT_EQ(scan("(\nx\n").text, "Parse error on line 3: 'Unexpected EOF processing block.'");
  EXPECT_EQ(scan("12-3").text,
            "Parse error on line 1: 'All ISO8601 dates must be in full Zulu form.'");
  EXPECT_EQ(scan("'abc").text, "Parse error on line 1: 'Unexpected EOF.'");
  EXPECT_EQ(scan("'").text, "ended");
}

TEST(ConfigScanner, columns_begin_at_zero_on_the_first_line_and_at_one_below) {
  ConfigScanner scanner("ab\ncd ");
  ConfigToken token;
  scanner.next();
  ASSERT_TRUE(scanner.scan_bare_key(ConfigScanner::KeyOf::text, token));
  EXPECT_EQ(token.text, "ab");
  EXPECT_EQ(token.line, 1);
  EXPECT_EQ(token.column, 0);
  scanner.next();
  scanner.ignore();
  scanner.next();
  ASSERT_TRUE(scanner.scan_bare_key(ConfigScanner::KeyOf::text, token));
  EXPECT_EQ(token.text, "cd");
  EXPECT_EQ(token.line, 2);
  EXPECT_EQ(token.column, 1);
}

TEST(ConfigScanner, characters) {
  EXPECT_TRUE(is_config_space(0x3000));
  EXPECT_FALSE(is_config_blank('\n'));
  EXPECT_EQ(shown_character('\n'), "\\n");
  EXPECT_EQ(shown_character(0x20AC), "€");
  ConfigScanner scanner("\xff€");
  EXPECT_EQ(scanner.next(), char32_t{0xFFFD});
  EXPECT_EQ(scanner.next(), char32_t{0x20AC});
  scanner.backup();
  EXPECT_EQ(scanner.peek(), char32_t{0x20AC});
}

}  // namespace
}  // namespace martlet::server
