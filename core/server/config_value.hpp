// SPDX-License-Identifier: Apache-2.0
//
// Owns the tree that a configuration text turns into: values with the place they stand at, and the
// digest that names a configuration. Knows neither the grammar (config_language.hpp) nor what any
// key means (options.hpp).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace martlet::server {

/// Where a value stands. As nats-server counts: lines from 1; columns from 0 on the first line and
/// from 1 on later ones. A value of a map stands where its key stands, since that is what a person
/// looks for.
struct ConfigPosition {
  uint32_t file = 0;  // Index into ConfigTree::files.
  int line = 1;
  int column = 0;
};

/// A moment as written, `2006-01-02T15:04:05Z`, checked to be one.
struct ConfigDatetime {
  std::string text;
};

/// One value of the tree. A plain value: copies are deep.
struct ConfigValue {
  using Array = std::vector<ConfigValue>;
  using Map = std::map<std::string, ConfigValue, std::less<>>;

  std::variant<std::string, int64_t, double, bool, ConfigDatetime, Array, Map> data;
  ConfigPosition position;
  /// Somebody wrote `$key`: such a key needs no meaning of its own, and is no unknown field.
  bool is_used_variable = false;

  const std::string* string() const { return std::get_if<std::string>(&data); }
  const int64_t* integer() const { return std::get_if<int64_t>(&data); }
  const double* number() const { return std::get_if<double>(&data); }
  const bool* boolean() const { return std::get_if<bool>(&data); }
  const Array* array() const { return std::get_if<Array>(&data); }
  const Map* map() const { return std::get_if<Map>(&data); }

  /// The type as NATS names it in its messages: `string`, `int64`, `map[string]interface {}` …
  std::string_view type_name() const;

  /// How much a copy costs: one for each value in it, one for each 32 bytes of text.
  size_t weight() const;
};

/// What a configuration text and the files it includes turned into.
struct ConfigTree {
  std::vector<std::string> files;  // Names as the messages show them; the first is the main text's.
  ConfigValue::Map root;

  /// `file:line:column` of a value of this tree.
  std::string where(const ConfigPosition& position) const;

  /// The tree as JSON with sorted keys, as Go's encoder writes it, without places.
  std::string json() const;

  /// `sha256:` and the digest of json() and a newline: equal to what `nats-server -t` prints for
  /// the same text.
  std::string digest() const;
};

}  // namespace martlet::server
