// SPDX-License-Identifier: Apache-2.0
//
// Owns the writing of JSON as nats-server writes it (INFO, monitoring pages, configurations): keys
// in the order in which they are given, two spaces a level or none, texts and numbers as Go has
// them, empty lists and objects in one piece. The caller keeps the nesting straight.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace martlet {

class JsonWriter {
 public:
  enum class Style : uint8_t { compact, indented };
  explicit JsonWriter(Style style) : style_(style) {}

  void open_object() { open('{'); }
  void close_object() { close('}'); }
  void open_array() { open('['); }
  void close_array() { close(']'); }
  /// Names what comes next in an object.
  void key(std::string_view name);

  void text(std::string_view value);
  void flag(bool value);
  void real(double value);
  void null();
  template <typename Integer, typename = std::enable_if_t<std::is_integral_v<Integer>>>
  void number(Integer value) {
    start_value();
    out_ += std::to_string(value);
  }

  void open_object(std::string_view name) {
    key(name);
    open_object();
  }
  void open_array(std::string_view name) {
    key(name);
    open_array();
  }
  void text(std::string_view name, std::string_view value) {
    key(name);
    text(value);
  }
  void flag(std::string_view name, bool value) {
    key(name);
    flag(value);
  }
  void real(std::string_view name, double value) {
    key(name);
    real(value);
  }
  template <typename Integer, typename = std::enable_if_t<std::is_integral_v<Integer>>>
  void number(std::string_view name, Integer value) {
    key(name);
    number(value);
  }

  /// A list of texts.
  void texts(std::string_view name, const std::vector<std::string>& values);

  std::string take() { return std::move(out_); }

 private:
  void open(char bracket);
  void close(char bracket);
  void start_value();
  void new_line();

  Style style_;
  std::string out_;
  std::vector<bool> filled_;  // For each open bracket: something stands in it already.
  bool after_key_ = false;
};

}  // namespace martlet
