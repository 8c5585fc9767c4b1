// SPDX-License-Identifier: Apache-2.0
//
// Owns the writing of a tree as Go writes JSON, and its digest.
#include "server/config_value.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <charconv>
#include <cmath>

#include "base/assert.hpp"
#include "base/json.hpp"

namespace martlet::server {
namespace {

void append_json(std::string& out, const ConfigValue& value);

void append_json(std::string& out, const ConfigValue::Map& map) {
  out += '{';
  bool first = true;
  for (const auto& [key, value] : map) {
    if (!first) out += ',';
    first = false;
    append_json_string(out, key);
    out += ':';
    append_json(out, value);
  }
  out += '}';
}

void append_json(std::string& out, const ConfigValue::Array& array) {
  out += '[';
  for (size_t i = 0; i < array.size(); ++i) {
    if (i != 0) out += ',';
    append_json(out, array[i]);
  }
  out += ']';
}

struct JsonWriter {
  std::string& out;
  void operator()(const std::string& text) const { append_json_string(out, text); }
  void operator()(int64_t integer) const { out += std::to_string(integer); }
  void operator()(double number) const { out += json_number(number); }
  void operator()(bool boolean) const { out += boolean ? "true" : "false"; }
  void operator()(const ConfigDatetime& datetime) const { append_json_string(out, datetime.text); }
  void operator()(const ConfigValue::Array& array) const { append_json(out, array); }
  void operator()(const ConfigValue::Map& map) const { append_json(out, map); }
};

void append_json(std::string& out, const ConfigValue& value) {
  std::visit(JsonWriter{out}, value.data);
}

struct TypeNamer {
  std::string_view operator()(const std::string&) const { return "string"; }
  std::string_view operator()(int64_t) const { return "int64"; }
  std::string_view operator()(double) const { return "float64"; }
  std::string_view operator()(bool) const { return "bool"; }
  std::string_view operator()(const ConfigDatetime&) const { return "time.Time"; }
  std::string_view operator()(const ConfigValue::Array&) const { return "[]interface {}"; }
  std::string_view operator()(const ConfigValue::Map&) const { return "map[string]interface {}"; }
};

}  // namespace

std::string_view ConfigValue::type_name() const { return std::visit(TypeNamer{}, data); }

size_t ConfigValue::weight() const {
  size_t sum = 1;
  if (string() != nullptr) sum += string()->size() / 32;
  if (array() != nullptr) {
    for (const ConfigValue& element : *array()) sum += element.weight();
  }
  if (map() != nullptr) {
    for (const auto& [key, element] : *map()) sum += element.weight() + key.size() / 32;
  }
  return sum;
}

std::string ConfigTree::where(const ConfigPosition& position) const {
  MARTLET_ASSERT(position.file < files.size());
  return fmt::format("{}:{}:{}", files[position.file], position.line, position.column);
}

std::string ConfigTree::json() const {
  std::string out;
  append_json(out, root);
  return out;
}

std::string ConfigTree::digest() const {
  const std::string text = json() + "\n";
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned int length = 0;
  const int taken =
      EVP_Digest(text.data(), text.size(), hash.data(), &length, EVP_sha256(), nullptr);
  MARTLET_ASSERT(taken == 1);
  std::string out = "sha256:";
  for (unsigned int i = 0; i < length; ++i) out += fmt::format("{:02x}", hash[i]);
  return out;
}

std::string json_number(double value) {
  const double magnitude = std::fabs(value);
  const bool exponent = magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21);
  std::array<char, 400> buffer{};
  const std::to_chars_result end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                    exponent ? std::chars_format::scientific : std::chars_format::fixed);
  MARTLET_ASSERT(end.ec == std::errc());
  std::string text(buffer.data(), end.ptr);
  // Go drops the zero of an exponent below ten: 1e-07 becomes 1e-7.
  const size_t size = text.size();
  if (exponent && size >= 4 && text[size - 4] == 'e' && text[size - 3] == '-' &&
      text[size - 2] == '0') {
    text.erase(size - 2, 1);
  }
  return text;
}

}  // namespace martlet::server
