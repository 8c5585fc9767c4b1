// SPDX-License-Identifier: Apache-2.0
//
// Goal: JSON strings leave as Go's encoder writes them, since clients and tools compare. Method:
// fixed cases.
#include "base/json.hpp"

#include <gtest/gtest.h>

namespace martlet {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(Json, escapes_as_go_does) {
  EXPECT_EQ(quoted("k.>"), "\"k.\\u003e\"");
  EXPECT_EQ(quoted("a<b&c"), "\"a\\u003cb\\u0026c\"");
  EXPECT_EQ(quoted("q\"\\\n\t\x01"), "\"q\\\"\\\\\\n\\t\\u0001\"");
}

TEST(Json, keeps_utf8_and_replaces_what_is_not) {
  EXPECT_EQ(quoted("grün"), "\"grün\"");
  EXPECT_EQ(quoted("\xff"
                   "a"),
            "\"\\ufffda\"");
  EXPECT_EQ(quoted("\xc0\x80"), "\"\\ufffd\\ufffd\"");
  EXPECT_EQ(quoted("\xe2\x80\xa8"), "\"\\u2028\"");
}

TEST(Json, parses_without_exceptions) {
  boost::system::error_code error;
  const json::value value = json::parse("{\"a\":1}", error);
  EXPECT_FALSE(error);
  EXPECT_EQ(value.as_object().at("a").as_int64(), 1);
  (void)json::parse("{\"a\":", error);
  EXPECT_TRUE(error);
}

TEST(Json, numbers_are_written_as_go_writes_them) {
  EXPECT_EQ(json_number(0), "0");
  EXPECT_EQ(json_number(1e20), "100000000000000000000");
  EXPECT_EQ(json_number(1e21), "1e+21");
  EXPECT_EQ(json_number(0.000001), "0.000001");
  EXPECT_EQ(json_number(0.0000001), "1e-7");
  EXPECT_EQ(json_number(-2.25), "-2.25");
}

}  // namespace
}  // namespace martlet
