// SPDX-License-Identifier: Apache-2.0
//
// Owns where commas, line ends and spaces go.
#include "base/json_writer.hpp"

#include "base/assert.hpp"
#include "base/json.hpp"

namespace martlet {

void JsonWriter::new_line() {
  if (style_ == Style::compact) return;
  out_ += '\n';
  out_.append(filled_.size() * 2, ' ');
}

void JsonWriter::start_value() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (filled_.empty()) return;
  if (filled_.back()) out_ += ',';
  filled_.back() = true;
  new_line();
}

void JsonWriter::open(char bracket) {
  start_value();
  out_ += bracket;
  filled_.push_back(false);
}

void JsonWriter::close(char bracket) {
  MARTLET_ASSERT(!filled_.empty());
  const bool filled = filled_.back();
  filled_.pop_back();
  if (filled) new_line();
  out_ += bracket;
}

void JsonWriter::key(std::string_view name) {
  start_value();
  append_json_string(out_, name);
  out_ += style_ == Style::compact ? ":" : ": ";
  after_key_ = true;
}

void JsonWriter::text(std::string_view value) {
  start_value();
  append_json_string(out_, value);
}

void JsonWriter::flag(bool value) {
  start_value();
  out_ += value ? "true" : "false";
}

void JsonWriter::real(double value) {
  start_value();
  out_ += json_number(value);
}

void JsonWriter::null() {
  start_value();
  out_ += "null";
}

void JsonWriter::texts(std::string_view name, const std::vector<std::string>& values) {
  open_array(name);
  for (const std::string& value : values) text(value);
  close_array();
}

}  // namespace martlet
