// SPDX-License-Identifier: Apache-2.0
//
// Goal: a text is JSON exactly when Go takes it for that, and every member of it is seen. Method:
// tables, depth up to and over the bound, and every beginning of one text.
#include "base/json_walk.hpp"

#include <gtest/gtest.h>

#include <string>

namespace martlet {
namespace {

constexpr size_t depth = 10000;

TEST(JsonWalk, takes_what_is_json) {
  for (const char* text :
       {"{}", "[]", " \t\r\n{ } ", "null", "true", "false", "0", "-0", "12", "-1.50", "1e5",
        "1E+05", "0.0e-0", "\"\"", R"("\"\\\/\b\f\n\r\t\u00e9\uD800")", "\"\x7f\xff\"",
        R"({"a":1,"a":[{},[],{"b":null}],"":""})", "[1 , [2] ,{\"a\" : 3}]"}) {
    EXPECT_TRUE(is_json(text, depth)) << text;
  }
}

TEST(JsonWalk, refuses_what_is_none) {
  for (const char* text : {"",
                           " ",
                           "{",
                           "}",
                           "[",
                           "]",
                           "[}",
                           "{]",
                           "[1,]",
                           "[,1]",
                           "[1 2]",
                           "{,}",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{\"a\" 1}",
                           "{a:1}",
                           "{1:1}",
                           "{\"a\":1 \"b\":2}",
                           "01",
                           "-",
                           "+1",
                           "1.",
                           ".1",
                           "1e",
                           "1e+",
                           "1x",
                           "tru",
                           "truex",
                           "nul",
                           "None",
                           "\"",
                           "\"\\\"",
                           "\"\\x\"",
                           "\"\\u12g4\"",
                           "\"\\u12",
                           "\"\x1f\"",
                           "\"\n\"",
                           "{} {}",
                           "[]]",
                           "'a'",
                           "\f{}"}) {
    EXPECT_FALSE(is_json(text, depth)) << text;
  }
  EXPECT_FALSE(is_json(std::string_view("\0", 1), depth));
}

TEST(JsonWalk, no_beginning_of_a_text_is_json) {
  const std::string whole = R"({"a":[1.5e3,{"b\u00e9":"c\n"},true,null],"d":{}})";
  ASSERT_TRUE(is_json(whole, depth));
  for (size_t bytes = 0; bytes < whole.size(); bytes++) {
    // A block of its own, so that a byte too far is found.
    const std::string part(whole, 0, bytes);
    EXPECT_FALSE(is_json(part, depth)) << part;
  }
}

TEST(JsonWalk, nests_up_to_the_bound) {
  const auto nested = [](size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
  };
  EXPECT_TRUE(is_json(nested(depth), depth));
  EXPECT_FALSE(is_json(nested(depth + 1), depth));
  EXPECT_FALSE(is_json(std::string(1000000, '['), depth));
  // What is closed counts no more.
  EXPECT_TRUE(is_json("[[],[],[]]", 2));
  EXPECT_FALSE(is_json("[[[]]]", 2));
}

std::string members(std::string_view text) {
  std::string all;
  std::string_view key;
  std::string_view value;
  for (JsonMembers walk(text); walk.next(key, value);)
    all += std::string(key) + "=" + std::string(value) + ";";
  return all;
}

TEST(JsonWalk, gives_every_member_as_it_stands) {
  EXPECT_EQ(members(R"( { "a" : 1 , "a":"x,]}\"" ,"b": [1, {"c":"]"}] , "d":{ "e":[] },"f":null})"),
            R"("a"=1;"a"="x,]}\"";"b"=[1, {"c":"]"}];"d"={ "e":[] };"f"=null;)");
  EXPECT_EQ(members(R"([1, "a" ,[],{"b":2}])"), R"(=1;="a";=[];={"b":2};)");
  for (const char* text : {"{}", "[ ]", "1", "\"a\"", "null"}) EXPECT_EQ(members(text), "") << text;
}

}  // namespace
}  // namespace martlet
