// SPDX-License-Identifier: Apache-2.0
//
// Goal: words have the values that nats-server gives them, and bounds hold. Method: tables.
#include "server/config_scalars.hpp"

#include <gtest/gtest.h>

namespace martlet::server {
namespace {

TEST(ConfigScalars, integers) {
  const std::pair<const char*, int64_t> cases[] = {{"0", 0},
                                                   {"-5", -5},
                                                   {"64k", 64'000},
                                                   {"64kb", 65'536},
                                                   {"64Ki", 65'536},
                                                   {"64KiB", 65'536},
                                                   {"1m", 1'000'000},
                                                   {"1MiB", 1'048'576},
                                                   {"-1g", -1'000'000'000},
                                                   {"2T", 2'000'000'000'000},
                                                   {"1pb", 1'125'899'906'842'624},
                                                   {"7e", 7'000'000'000'000'000'000},
                                                   {"9223372036854775807", INT64_MAX},
                                                   {"-9223372036854775808", INT64_MIN}};
  for (const auto& [text, value] : cases) {
    const Result<int64_t> read = parse_config_integer(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(*read, value) << text;
  }
}

TEST(ConfigScalars, integers_that_are_none) {
  for (const char* text : {"9223372036854775808", "10e", "8eb", "-10e"}) {
    EXPECT_EQ(parse_config_integer(text).error().context,
              "integer '" + std::string(text) + "' is out of the range");
  }
  for (const char* text : {"", "-", "1kbb", "1x", "k"}) {
    EXPECT_EQ(parse_config_integer(text).error().context,
              "expected integer, but got '" + std::string(text) + "'");
  }
}

TEST(ConfigScalars, floats) {
  EXPECT_EQ(*parse_config_float("1.5"), 1.5);
  EXPECT_EQ(*parse_config_float("-0.25"), -0.25);
  const std::string huge = std::string(400, '9') + ".0";
  EXPECT_EQ(parse_config_float(huge).error().context, "float '" + huge + "' is out of the range");
  EXPECT_EQ(parse_config_float("1.5x").error().context, "expected float, but got '1.5x'");
}

TEST(ConfigScalars, words_and_moments) {
  for (const char* word : {"true", "YES", "oN"}) EXPECT_TRUE(is_true_word(word));
  for (const char* word : {"false", "No", "off"}) EXPECT_FALSE(is_true_word(word));
  for (const char* text :
       {"2016-02-29T00:00:00Z", "2000-02-29T23:59:59Z", "0001-12-31T00:00:00Z"}) {
    EXPECT_TRUE(is_moment(text)) << text;
  }
  for (const char* text :
       {"2015-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2016-13-01T00:00:00Z",
        "2016-00-01T00:00:00Z", "2016-01-00T00:00:00Z", "2016-04-31T00:00:00Z",
        "2016-01-01T24:00:00Z", "2016-01-01T00:60:00Z", "2016-01-01T00:00:60Z"}) {
    EXPECT_FALSE(is_moment(text)) << text;
  }
  EXPECT_EQ(lower_case("ÄBc"), "Äbc");
}

}  // namespace
}  // namespace martlet::server
