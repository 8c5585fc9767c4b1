// SPDX-License-Identifier: Apache-2.0
//
// Owns the writing of a tree as Go writes JSON, and its digest.
#include "server/config_value.hpp"

#include <fmt/format.h>

#include "base/assert.hpp"
#include "base/json_writer.hpp"
#include "server/sha256_digest.hpp"

namespace martlet::server {
namespace {

struct TreeWriter {
  JsonWriter& json;
  void operator()(const std::string& text) const { json.text(text); }
  void operator()(int64_t integer) const { json.number(integer); }
  void operator()(double number) const { json.real(number); }
  void operator()(bool boolean) const { json.flag(boolean); }
  void operator()(const ConfigDatetime& datetime) const { json.text(datetime.text); }
  void operator()(const ConfigValue::Array& array) const {
    json.open_array();
    for (const ConfigValue& element : array) std::visit(*this, element.data);
    json.close_array();
  }
  void operator()(const ConfigValue::Map& map) const {
    json.open_object();
    for (const auto& [key, value] : map) {
      json.key(key);
      std::visit(*this, value.data);
    }
    json.close_object();
  }
};

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
  JsonWriter json(JsonWriter::Style::compact);
  TreeWriter{json}(root);
  return json.take();
}

std::string ConfigTree::digest() const { return sha256_digest(json() + "\n"); }

}  // namespace martlet::server
