// SPDX-License-Identifier: Apache-2.0
//
// Goal: a text becomes the tree that nats-server makes of it, or is refused in its words; nothing a
// text says can make the reader run for ever or out of stack. Method: texts beside the JSON of
// their tree. What nats-server says to many more texts is recorded in tests/program.
#include "server/config_language.hpp"

#include <gtest/gtest.h>

#include "tests/unit/server/map_config_source.hpp"

namespace martlet::server {
namespace {

std::string tree(std::string_view text, const MapConfigSource& source = {}) {
  const Result<ConfigTree> parsed = parse_config_text(text, "a.conf", source);
  return parsed ? parsed->json() : parsed.error().context;
}

TEST(ConfigLanguage, pairs_and_terminators) {
  EXPECT_EQ(tree("a = 1\nb: 2\nc 3"), R"({"a":1,"b":2,"c":3})");
  EXPECT_EQ(tree("a = 1; b: x, c y"), R"({"a":1,"b":"x","c":"y"})");
  EXPECT_EQ(tree("'q k' = 1\n\"d k\": 2"), R"({"d k":2,"q k":1})");
  EXPECT_EQ(tree("a\n  b\n"), R"({"a":"b"})");
  EXPECT_EQ(tree("a: 1\na: 2\n"), R"({"a":2})");
  EXPECT_EQ(tree(""), "{}");
}

TEST(ConfigLanguage, json_is_configuration) {
  EXPECT_EQ(tree("{ \"port\": 4222, \"m\": { \"a\": [1 , true], \"b\": \"x\" } }"),
            R"({"m":{"a":[1,true],"b":"x"},"port":4222})");
  EXPECT_EQ(tree("{ { a: 1 } , b: 2 }\nc: 3"), R"({"a":1,"b":2,"c":3})");
}

TEST(ConfigLanguage, comments) {
  EXPECT_EQ(
      tree("# one\na: 1 # two\n// three\nb { // four\n c: [ # five\n 1 ,\n 'x' // six\n ] }\n"),
      R"({"a":1,"b":{"c":[1,"x"]}})");
}

TEST(ConfigLanguage, numbers_with_suffixes) {
  EXPECT_EQ(tree("a: 1k, b: 1kb, c: 1Ki, d: 2MiB, e: 3g, f: -4t, g: 5.5, h: 1e"),
            R"({"a":1000,"b":1024,"c":1024,"d":2097152,"e":3000000000,"f":-4000000000000,"g":5.5,)"
            R"("h":1000000000000000000})");
  EXPECT_EQ(tree("a: 9223372036854775808"), "integer '9223372036854775808' is out of the range");
  EXPECT_EQ(tree("a: 10e"), "integer '10e' is out of the range");
  EXPECT_EQ(tree("a: 1kbb"), "expected integer, but got '1kbb'");
  EXPECT_EQ(tree("a: 2016-02-30T00:00:00Z"),
            "expected Zulu formatted DateTime, but got '2016-02-30T00:00:00Z'");
  EXPECT_EQ(tree("a: 2016-02-29T23:59:59Z"), R"({"a":"2016-02-29T23:59:59Z"})");
}

TEST(ConfigLanguage, variables_come_from_maps_around_then_from_the_environment) {
  MapConfigSource source;
  source.variables = {
      {"PORT", "4333"}, {"LIST", "[a, 'b c']"}, {"A", "$B"}, {"B", "$A"}, {"EMPTY", ""}};
  EXPECT_EQ(tree("x: 7\nm { y: $x, x: 8, z: $x }\nw: $x"),
            R"({"m":{"x":8,"y":7,"z":8},"w":7,"x":7})");
  EXPECT_EQ(tree("a: $PORT, b: $LIST, c: $EMPTY", source), R"({"a":4333,"b":["a","b c"],"c":""})");
  EXPECT_EQ(tree("a: '$PORT'", source), R"({"a":"$PORT"})");
  EXPECT_EQ(tree("a: $2a$11$abc"), R"({"a":"$2a$11$abc"})");
  EXPECT_EQ(tree("\na: $later\nlater: 1"),
            "variable reference for 'later' on line 2 can not be found");
  EXPECT_EQ(tree("a: $A", source),
            "variable reference for 'A' on line 1 could not be parsed: variable reference for 'B' "
            "on line 1 could not be "
            "parsed: variable reference for 'A' on line 1 could not be parsed: variable reference "
            "cycle for 'A'");
}

TEST(ConfigLanguage, a_used_variable_is_marked) {
  const Result<ConfigTree> parsed =
      parse_config_text("x: 7\ny: $x\n", "a.conf", ClosedConfigSource());
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->root.at("x").is_used_variable);
  EXPECT_FALSE(parsed->root.at("y").is_used_variable);
  EXPECT_EQ(parsed->where(parsed->root.at("y").position), "a.conf:2:1");
}

TEST(ConfigLanguage, includes_are_relative_to_the_file_and_keep_their_places) {
  MapConfigSource source;
  source.files = {{"etc/main.conf", "a: 1\ninclude ./sub/one.conf\nm { include 'sub/two.conf' }\n"},
                  {"etc/sub/one.conf", "\nb: 2\ninclude two.conf\n"},
                  {"etc/sub/two.conf", "c: 3"}};
  const Result<ConfigTree> parsed = parse_config_file("etc/main.conf", source);
  ASSERT_TRUE(parsed) << parsed.error().context;
  EXPECT_EQ(parsed->json(), R"({"a":1,"b":2,"c":3,"m":{"c":3}})");
  EXPECT_EQ(parsed->where(parsed->root.at("b").position), "etc/sub/one.conf:2:1");
}

TEST(ConfigLanguage, includes_that_fail) {
  MapConfigSource source;
  source.files = {
      {"a.conf", "include b.conf"}, {"b.conf", "include ./x/../a.conf"}, {"bad.conf", "}{"}};
  EXPECT_EQ(parse_config_file("nope.conf", source).error().context,
            "open nope.conf: no such file or directory");
  EXPECT_EQ(tree("include nope.conf", source),
            "error parsing include file 'nope.conf', open nope.conf: no such file or directory");
  EXPECT_EQ(parse_config_file("a.conf", source).error().context,
            "error parsing include file 'b.conf', error parsing include file './x/../a.conf', "
            "a.conf includes itself");
  EXPECT_EQ(tree("include 5", source),
            "Parse error on line 1: 'Expected include value but found start of a number'");
}

TEST(ConfigLanguage, includes_are_bounded) {
  MapConfigSource source;
  for (size_t i = 0; i < config_include_depth_max + 1; ++i) {
    source.files[std::to_string(i) + ".conf"] =
        "include " + std::string("./") + std::to_string(i + 1) + ".conf\n";
  }
  EXPECT_NE(parse_config_file("0.conf", source)
                .error()
                .context.find("includes are nested deeper than 16"),
            std::string::npos);
  std::string many;
  for (size_t i = 0; i <= config_include_count_max; ++i) many += "include e.conf\n";
  source.files["e.conf"] = "a: 1";
  EXPECT_NE(tree(many, source).find("more than 1000 includes"), std::string::npos);
}

TEST(ConfigLanguage, depth_and_size_are_bounded) {
  EXPECT_NE(tree("a: " + std::string(100000, '[')).find("nested deeper than 64"),
            std::string::npos);
  EXPECT_NE(tree(std::string(100000, '{')).find("nested deeper than 64"), std::string::npos);
  std::string doubling = "a0: [x, y, z, w, x, y, z, w]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "$a" + std::to_string(i - 1);
    doubling += "a" + std::to_string(i) + ": [";
    for (int j = 0; j < 8; ++j) doubling += before + " , ";
    doubling += "x]\n";
  }
  EXPECT_EQ(tree(doubling), "variables multiply to more than 1000000 values");
  MapConfigSource source;
  source.variables["LONG"] = "'" + std::string(1'000'000, 'x') + "'";
  std::string many = "a: [";
  for (int i = 0; i < 40; ++i) many += "$LONG , ";
  EXPECT_EQ(tree(many + "x]", source), "variables multiply to more than 1000000 values");
  source.variables["LONG"] = "x\n" + std::string(1'000'000, '#');
  EXPECT_EQ(tree(many + "x]", source), "the configuration has more than 33554432 bytes in all");
}

TEST(ConfigLanguage, refusals_in_natss_words) {
  EXPECT_EQ(tree("a"), "config is invalid (a.conf:1:1)");
  EXPECT_EQ(tree("a: 1\n= 2"), "Parse error on line 2: 'Unexpected key separator '=''");
  EXPECT_EQ(tree("a: \"x\" y"),
            "Parse error on line 1: 'Expected a top-level value to end with a new line, comment or "
            "EOF, but got 'y' "
            "instead.'");
  EXPECT_EQ(tree("a {\n b: 1"),
            "Parse error on line 2: 'Expected a map value terminator \",\" or a map terminator "
            "\"}\", but got '' instead.'");
  EXPECT_EQ(tree("a {\n b: 1\n"), "Parse error on line 3: 'Unexpected EOF processing map.'");
  EXPECT_EQ(
      tree("a: [1 2]"),
      "Parse error on line 1: 'Expected an array value terminator \",\" or an array terminator "
      "\"]\", but got '2' instead.'");
  EXPECT_EQ(tree("a: [,]"), "Parse error on line 1: 'Unexpected array value terminator ','.'");
  EXPECT_EQ(tree("a { ] }"), "Parse error on line 1: 'Unexpected array end ']' processing map.'");
}

TEST(ConfigLanguage, a_key_without_value_names_the_map_around_it) {
  EXPECT_EQ(tree("a { b }"), R"({"b":{}})");
}

}  // namespace
}  // namespace martlet::server
