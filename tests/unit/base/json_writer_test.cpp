// SPDX-License-Identifier: Apache-2.0
//
// Goal: JSON looks as nats-server prints it. Method: whole texts, compared byte by byte.
#include "base/json_writer.hpp"

#include <gtest/gtest.h>

namespace martlet {
namespace {

void write_sample(JsonWriter& json) {
  json.open_object();
  json.text("a", "x<y>\"");
  json.number("n", int64_t{-5});
  json.open_object("empty");
  json.close_object();
  json.open_array("list");
  json.number(1);
  json.flag(true);
  json.open_object();
  json.real("r", 0.375);
  json.close_object();
  json.null();
  json.close_array();
  json.open_array("none");
  json.close_array();
  json.close_object();
}

TEST(JsonWriter, indents_by_two_and_keeps_empty_brackets_together) {
  JsonWriter json(JsonWriter::Style::indented);
  write_sample(json);
  EXPECT_EQ(json.take(),
            "{\n  \"a\": \"x\\u003cy\\u003e\\\"\",\n  \"n\": -5,\n  \"empty\": {},\n  \"list\": "
            "[\n    1,\n    true,\n"
            "    {\n      \"r\": 0.375\n    },\n    null\n  ],\n  \"none\": []\n}");
}

TEST(JsonWriter, compact_has_no_spaces) {
  JsonWriter json(JsonWriter::Style::compact);
  write_sample(json);
  EXPECT_EQ(json.take(),
            "{\"a\":\"x\\u003cy\\u003e\\\"\",\"n\":-5,\"empty\":{},\"list\":[1,true,{\"r\":0.375},"
            "null],\"none\":[]}");
}

TEST(JsonWriter, lists_of_texts) {
  JsonWriter json(JsonWriter::Style::compact);
  json.open_object();
  json.texts("a", {"x", "\""});
  json.texts("none", {});
  json.close_object();
  EXPECT_EQ(json.take(), "{\"a\":[\"x\",\"\\\"\"],\"none\":[]}");
}

TEST(JsonWriter, whole_reals_have_no_fraction) {
  JsonWriter json(JsonWriter::Style::compact);
  json.open_array();
  json.real(2.0);
  json.real(0.0);
  json.close_array();
  EXPECT_EQ(json.take(), "[2,0]");
}

}  // namespace
}  // namespace martlet
