// SPDX-License-Identifier: Apache-2.0
//
// Owns the reading of JSON text as it stands, without a tree of it: whether it is JSON, and the
// members of one object or array one by one, twice-given keys too. No recursion, whatever the
// depth; no values: a member is the text of it.
#pragma once

#include <cstddef>
#include <string_view>

namespace martlet {

/// Whether `text` is one JSON value, with blanks around it, whose objects and arrays are nested at
/// most `depth_max`. As in Go a string may hold any bytes from 0x20 on, UTF-8 or not, and half a
/// surrogate pair.
bool is_json(std::string_view text, size_t depth_max);

/// The members of `text`, which is_json, in the order in which they stand there; a text that is
/// neither object nor array has none.
class JsonMembers {
 public:
  explicit JsonMembers(std::string_view text);

  /// Takes the next member; false at the end. `key` with its quotes, empty in an array.
  bool next(std::string_view& key, std::string_view& value);

 private:
  std::string_view take_value();
  void skip_blanks();

  const char* at_;
  const char* end_;
  bool is_object_ = false;
};

}  // namespace martlet
