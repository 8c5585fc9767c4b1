// SPDX-License-Identifier: Apache-2.0
//
// Owns what may stand where. Containers are read by descent, one frame for each map or array.
#include "server/config_language.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <set>
#include <utility>

#include "base/assert.hpp"
#include "server/config_scalars.hpp"
#include "server/config_scanner.hpp"

namespace martlet::server {
namespace {

// Go's filepath.Dir and Join: an include is always relative to the including file's folder, even
// one that begins with a slash.
std::string folder_of(const std::string& path) {
  std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

std::string joined_path(const std::string& folder, const std::string& name) {
  std::string path = std::filesystem::path(folder + "/" + name).lexically_normal().string();
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

// What all texts of one reading share: the files, the bounds, the variables being looked up.
struct Reading {
  const ConfigSource& source;
  std::vector<std::string> files;
  std::vector<std::string> open_paths;   // The chain of includes that is being read.
  std::set<std::string> open_variables;  // The chain of environment variables that is being read.
  size_t include_count = 0;
  size_t text_bytes = 0;
  size_t copies = 0;
};

/// Reads one text: the main one, an included one, or the value of an environment variable.
class TextReader {
 public:
  TextReader(Reading& reading, std::string_view text, const std::string& path, uint32_t file)
      : reading_(reading), scanner_(text), path_(path), folder_(folder_of(path)), file_(file) {}

  Result<ConfigValue::Map> read() {
    frames_.push_back(Frame{});
    const bool whole = read_top();
    if (!whole && !scanner_.ended()) {
      MARTLET_ASSERT(scanner_.error().has_value());
      return {ErrorCode::invalid_options, *scanner_.error()};
    }
    if (last_was_key_ && last_key_ != "}") {
      return {ErrorCode::invalid_options, fmt::format("config is invalid ({}:{}:{})", path_,
                                                      scanner_.line(), scanner_.column())};
    }
    return std::move(frames_.front().map);
  }

 private:
  struct Frame {
    bool is_array = false;
    ConfigValue::Map map;
    ConfigValue::Array array;
  };
  enum class Place { top, braces };

  bool read_top();
  bool read_braces(size_t depth);
  bool read_pair(Place place);
  bool read_key(ConfigToken& token);
  bool end_of_pair(Place place);
  bool read_value();
  bool read_map();
  bool read_map_pair(bool& map_ended);
  bool read_map_key(ConfigToken& token, bool& map_ended);
  bool read_array();
  bool push_frame(bool is_array);
  bool pop_frame(const ConfigToken& place);
  bool set_scalar(const ConfigToken& token);
  bool set_variable(const ConfigToken& token);
  bool set_environment_variable(const ConfigToken& token);
  bool set_value(ConfigValue value);
  bool include(const ConfigToken& token);
  bool count_copy(const ConfigValue& value);
  bool count_text(size_t bytes);
  void push_key(ConfigToken token);
  ConfigPosition position_of(const ConfigToken& token) const {
    return {file_, token.line, token.column};
  }

  Reading& reading_;
  ConfigScanner scanner_;
  std::string path_;
  std::string folder_;
  uint32_t file_;
  std::vector<Frame> frames_;
  // Keys wait here for their values. As in nats-server this is one stack for the whole text, so
  // that a key without a value, `a { b }`, gives its name to the map around it.
  std::vector<ConfigToken> keys_;
  bool last_was_key_ = false;
  std::string last_key_;
};

bool TextReader::read_top() {
  for (;;) {
    const char32_t character = scanner_.next();
    if (is_config_space(character)) {
      scanner_.ignore();
      continue;
    }
    if (character == '{') {
      scanner_.ignore();
      if (!read_braces(1)) return false;
      continue;
    }
    if (character == '#' || (character == '/' && scanner_.take_second_slash())) {
      last_was_key_ = false;
      scanner_.skip_comment();
      continue;
    }
    if (character == '/' || character == ConfigScanner::end) {
      return scanner_.has_pending() ? scanner_.fail("Unexpected EOF.") : true;
    }
    scanner_.backup();
    if (!read_pair(Place::top)) return false;
  }
}

// Braces around the whole text, as JSON has them; after the opening one.
bool TextReader::read_braces(size_t depth) {
  if (depth > config_nesting_max)
    return scanner_.fail(fmt::format("nested deeper than {}", config_nesting_max));
  bool wants_pair = true;  // Otherwise only separators and the end may follow.
  for (;;) {
    const char32_t character = scanner_.next();
    if (is_config_space(character) &&
        (wants_pair || is_config_blank(character) || is_config_newline(character))) {
      if (wants_pair) scanner_.ignore();
      continue;
    }
    if (character == '#' || (character == '/' && scanner_.take_second_slash())) {
      last_was_key_ = false;
      scanner_.skip_comment();
      wants_pair = true;
      continue;
    }
    if (character == '}') {
      scanner_.ignore();
      return true;
    }
    if (!wants_pair) {
      if (character == '/') continue;
      if (character != ';' && character != ',') {
        return scanner_.fail(
            fmt::format("Expected a block-level to end with a '}}', but got '{}' instead.",
                        shown_character(character)));
      }
      scanner_.ignore();
      wants_pair = true;
      continue;
    }
    if (character == '{') {
      scanner_.ignore();
      if (!read_braces(depth + 1)) return false;
      wants_pair = false;
      continue;
    }
    if (character == '/' || character == ConfigScanner::end) {
      return scanner_.has_pending() ? scanner_.fail("Unexpected EOF.") : scanner_.end_early();
    }
    scanner_.backup();
    if (!read_pair(Place::braces)) return false;
  }
}

// One `key value` or `include path` outside of any map, and what ends it.
bool TextReader::read_pair(Place place) {
  ConfigToken key;
  if (!read_key(key)) return false;
  if (key.kind == ConfigToken::Kind::include) {
    if (!include(key)) return false;
    return end_of_pair(place);
  }
  push_key(std::move(key));
  char32_t character = scanner_.next();
  while (is_config_space(character)) character = scanner_.next();
  if (character == ConfigScanner::end) {
    scanner_.backup();
    scanner_.ignore();
    return scanner_.end_early();
  }
  if (!is_config_separator(character)) scanner_.backup();
  scanner_.ignore();
  if (!read_value()) return false;
  return end_of_pair(place);
}

bool TextReader::read_key(ConfigToken& token) {
  char32_t character = scanner_.peek();
  while (is_config_space(character)) {
    scanner_.next();
    character = scanner_.peek();
  }
  if (is_config_separator(character)) {
    return scanner_.fail(fmt::format("Unexpected key separator '{}'", shown_character(character)));
  }
  if (character == '"' || character == '\'') {
    scanner_.next();
    scanner_.ignore();
    return scanner_.scan_quoted_key(character, ConfigScanner::KeyOf::text, token);
  }
  scanner_.ignore();
  scanner_.next();
  if (!scanner_.scan_bare_key(ConfigScanner::KeyOf::text, token)) return false;
  if (lower_case(token.text) == "include" && is_config_space(scanner_.peek()))
    return scanner_.scan_include(token);
  return true;
}

bool TextReader::end_of_pair(Place place) {
  for (;;) {
    const char32_t character = scanner_.next();
    if (is_config_blank(character)) continue;
    if (character == '#' || (character == '/' && scanner_.take_second_slash())) {
      last_was_key_ = false;
      scanner_.skip_comment();
      if (place == Place::top) return true;
      continue;
    }
    if (character == '/') continue;
    if (is_config_newline(character) || character == ';' || character == ',') break;
    if (place == Place::top) {
      if (character == ConfigScanner::end || character == '}') break;
    } else if (character == '}') {
      scanner_.backup();
      return true;
    }
    return scanner_.fail(fmt::format(
        "Expected a {}-level value to end with a new line, comment or EOF, but got '{}' instead.",
        place == Place::top ? "top" : "block", shown_character(character)));
  }
  scanner_.ignore();
  return true;
}

bool TextReader::read_value() {
  char32_t character = scanner_.peek();
  while (is_config_blank(character)) {
    scanner_.next();
    character = scanner_.peek();
  }
  scanner_.ignore();
  if (character == '[' || character == '{') {
    scanner_.next();
    scanner_.ignore();
    last_was_key_ = false;
    if (!push_frame(character == '[')) return false;
    return character == '[' ? read_array() : read_map();
  }
  ConfigToken token;
  if (!scanner_.scan_scalar(token)) return false;
  last_was_key_ = false;
  return set_scalar(token);
}

bool TextReader::read_array() {
  bool wants_value = true;  // Otherwise something that separates, or the end.
  for (;;) {
    const char32_t character = scanner_.next();
    if (is_config_blank(character) || (wants_value && is_config_space(character))) {
      scanner_.ignore();
      continue;
    }
    if (character == '#' || (character == '/' && scanner_.take_second_slash())) {
      last_was_key_ = false;
      scanner_.skip_comment();
      continue;
    }
    if (character == ']') return pop_frame(scanner_.here());
    const bool separates = character == ',' || character == '/';
    if (wants_value) {
      if (separates) return scanner_.fail("Unexpected array value terminator ','.");
      scanner_.backup();
      if (!read_value()) return false;
      wants_value = false;
      continue;
    }
    if (!separates && !is_config_newline(character)) {
      return scanner_.fail(
          fmt::format("Expected an array value terminator \",\" or an array terminator \"]\", but "
                      "got '{}' instead.",
                      shown_character(character)));
    }
    scanner_.ignore();
    wants_value = true;
  }
}

bool TextReader::read_map() {
  for (;;) {
    bool map_ended = false;
    if (!read_map_pair(map_ended)) return false;
    // After a pair: what separates it from the next, or the end of the map.
    for (bool between = !map_ended; between;) {
      const char32_t character = scanner_.next();
      if (is_config_blank(character)) continue;
      if (character == '#' || (character == '/' && scanner_.take_second_slash())) {
        last_was_key_ = false;
        scanner_.skip_comment();
        continue;
      }
      between = false;
      if (character == '}') {
        map_ended = true;
      } else if (character != ';' && character != ',' && character != '/' &&
                 !is_config_newline(character)) {
        return scanner_.fail(
            fmt::format("Expected a map value terminator \",\" or a map terminator \"}}\", but got "
                        "'{}' instead.",
                        shown_character(character)));
      }
      scanner_.ignore();
    }
    if (map_ended) return pop_frame(scanner_.here());
  }
}

// One pair of a map, or its end.
bool TextReader::read_map_pair(bool& map_ended) {
  ConfigToken key;
  if (!read_map_key(key, map_ended)) return false;
  if (map_ended) return true;
  if (key.kind == ConfigToken::Kind::include) return include(key);
  push_key(std::move(key));
  char32_t character = scanner_.next();
  while (is_config_space(character)) character = scanner_.next();
  if (is_config_separator(character)) character = scanner_.next();
  while (is_config_space(character)) character = scanner_.next();
  if (character == ',') return scanner_.fail("Unexpected map value terminator \",\".");
  if (character == '}') {
    map_ended = true;
    return true;
  }
  scanner_.backup();
  scanner_.ignore();
  return read_value();
}

bool TextReader::read_map_key(ConfigToken& token, bool& map_ended) {
  for (;;) {
    const char32_t character = scanner_.peek();
    if (is_config_separator(character)) {
      return scanner_.fail(
          fmt::format("Unexpected key separator '{}'.", shown_character(character)));
    }
    if (character == ']') return scanner_.fail("Unexpected array end ']' processing map.");
    if (character == ConfigScanner::end) return scanner_.fail("Unexpected EOF processing map.");
    if (is_config_space(character)) {
      scanner_.next();
      continue;
    }
    if (character == '}') {
      scanner_.next();
      map_ended = true;
      return true;
    }
    if (character == '\'' || character == '"') {
      scanner_.next();
      scanner_.ignore();
      return scanner_.scan_quoted_key(character, ConfigScanner::KeyOf::map, token);
    }
    if (character == '#' || character == '/') {
      scanner_.next();
      if (character == '#' || scanner_.take_second_slash()) {
        last_was_key_ = false;
        scanner_.skip_comment();
        continue;
      }
      // A single slash is dropped, and the key begins behind it: so does nats-server.
    }
    scanner_.ignore();
    scanner_.next();
    if (!scanner_.scan_bare_key(ConfigScanner::KeyOf::map, token)) return false;
    if (lower_case(token.text) == "include" && is_config_space(scanner_.peek()))
      return scanner_.scan_include(token);
    return true;
  }
}

bool TextReader::push_frame(bool is_array) {
  if (frames_.size() > config_nesting_max)
    return scanner_.fail(fmt::format("nested deeper than {}", config_nesting_max));
  frames_.push_back(Frame{is_array, {}, {}});
  return true;
}

bool TextReader::pop_frame(const ConfigToken& place) {
  MARTLET_ASSERT(frames_.size() > 1);
  Frame frame = std::move(frames_.back());
  frames_.pop_back();
  last_was_key_ = false;
  ConfigValue value;
  value.position = position_of(place);
  if (frame.is_array) {
    value.data = std::move(frame.array);
  } else {
    value.data = std::move(frame.map);
  }
  return set_value(std::move(value));
}

void TextReader::push_key(ConfigToken token) {
  last_was_key_ = true;
  last_key_ = token.text;
  keys_.push_back(std::move(token));
}

bool TextReader::set_value(ConfigValue value) {
  Frame& frame = frames_.back();
  if (frame.is_array) {
    frame.array.push_back(std::move(value));
    return true;
  }
  MARTLET_ASSERT(!keys_.empty());
  const ConfigToken key = std::move(keys_.back());
  keys_.pop_back();
  value.position.line = key.line;
  value.position.column = key.column;
  frame.map.insert_or_assign(key.text, std::move(value));
  return true;
}

bool TextReader::set_scalar(const ConfigToken& token) {
  ConfigValue value;
  value.position = position_of(token);
  switch (token.kind) {
    case ConfigToken::Kind::variable:
      return set_variable(token);
    case ConfigToken::Kind::integer: {
      Result<int64_t> number = parse_config_integer(token.text);
      if (!number) return scanner_.fail_plain(number.take_error().context);
      value.data = *number;
      break;
    }
    case ConfigToken::Kind::floating: {
      Result<double> number = parse_config_float(token.text);
      if (!number) return scanner_.fail_plain(number.take_error().context);
      value.data = *number;
      break;
    }
    case ConfigToken::Kind::boolean:
      value.data = is_true_word(token.text);
      break;
    case ConfigToken::Kind::datetime:
      if (!is_moment(token.text)) {
        return scanner_.fail_plain(
            fmt::format("expected Zulu formatted DateTime, but got '{}'", token.text));
      }
      value.data = ConfigDatetime{token.text};
      break;
    default:
      value.data = token.text;
      break;
  }
  return set_value(std::move(value));
}

// `$name`: a bcrypt hash, a key of this map or of one around it, or the environment.
bool TextReader::set_variable(const ConfigToken& token) {
  if (token.text.starts_with("2a$")) {
    ConfigValue value;
    value.position = position_of(token);
    value.data = "$" + token.text;
    return set_value(std::move(value));
  }
  for (size_t i = frames_.size(); i-- > 0;) {
    if (frames_[i].is_array) continue;
    const auto found = frames_[i].map.find(token.text);
    if (found == frames_[i].map.end()) continue;
    found->second.is_used_variable = true;
    if (!count_copy(found->second)) return false;
    ConfigValue copy = found->second;
    copy.is_used_variable = false;
    copy.position = position_of(token);
    return set_value(std::move(copy));
  }
  return set_environment_variable(token);
}

bool TextReader::set_environment_variable(const ConfigToken& token) {
  const auto refuse = [&](const std::string& why) {
    return scanner_.fail_plain(
        fmt::format("variable reference for '{}' on line {} could not be parsed: {}", token.text,
                    token.line, why));
  };
  if (reading_.open_variables.contains(token.text)) {
    return refuse(fmt::format("variable reference cycle for '{}'", token.text));
  }
  if (reading_.open_variables.size() >= config_include_depth_max) {
    return refuse(
        fmt::format("variables that name variables, more than {} deep", config_include_depth_max));
  }
  const std::optional<std::string> text = reading_.source.environment(token.text);
  if (!text) {
    return scanner_.fail_plain(fmt::format(
        "variable reference for '{}' on line {} can not be found", token.text, token.line));
  }
  if (!count_text(text->size())) return false;
  // The value is read as configuration, so that numbers, arrays and maps may come from the
  // environment.
  reading_.open_variables.insert(token.text);
  const std::string pair = "value=" + *text;
  TextReader reader(reading_, pair, "", file_);
  Result<ConfigValue::Map> map = reader.read();
  reading_.open_variables.erase(token.text);
  if (!map) return refuse(map.error().context);
  const auto found = map->find("value");
  if (found == map->end()) {
    return scanner_.fail_plain(fmt::format(
        "variable reference for '{}' on line {} can not be found", token.text, token.line));
  }
  if (!count_copy(found->second)) return false;
  found->second.position = position_of(token);
  return set_value(std::move(found->second));
}

bool TextReader::include(const ConfigToken& token) {
  last_was_key_ = false;
  const std::string path = joined_path(folder_, token.text);
  const auto refuse = [&](const std::string& why) {
    return scanner_.fail_plain(fmt::format("error parsing include file '{}', {}", token.text, why));
  };
  for (const std::string& open : reading_.open_paths) {
    if (open == path) return refuse(fmt::format("{} includes itself", path));
  }
  if (reading_.open_paths.size() >= config_include_depth_max) {
    return refuse(fmt::format("includes are nested deeper than {}", config_include_depth_max));
  }
  if (++reading_.include_count > config_include_count_max) {
    return refuse(fmt::format("more than {} includes", config_include_count_max));
  }
  const Result<std::string> text = reading_.source.read_file(path);
  if (!text) return refuse(text.error().context);
  if (!count_text(text->size())) return false;
  reading_.files.push_back(path);
  reading_.open_paths.push_back(path);
  TextReader reader(reading_, *text, path, static_cast<uint32_t>(reading_.files.size() - 1));
  Result<ConfigValue::Map> map = reader.read();
  reading_.open_paths.pop_back();
  if (!map) return refuse(map.error().context);
  MARTLET_ASSERT(!frames_.back().is_array);
  for (auto& [key, value] : *map) frames_.back().map.insert_or_assign(key, std::move(value));
  return true;
}

bool TextReader::count_copy(const ConfigValue& value) {
  reading_.copies += value.weight();
  if (reading_.copies <= config_copies_max) return true;
  return scanner_.fail_plain(
      fmt::format("variables multiply to more than {} values", config_copies_max));
}

bool TextReader::count_text(size_t bytes) {
  reading_.text_bytes += bytes;
  if (reading_.text_bytes <= config_text_bytes_max) return true;
  return scanner_.fail_plain(
      fmt::format("the configuration has more than {} bytes in all", config_text_bytes_max));
}

}  // namespace

Result<ConfigTree> parse_config_text(std::string_view text, const std::string& name,
                                     const ConfigSource& source) {
  Reading reading{source, {name}, {std::filesystem::path(name).lexically_normal().string()},
                  {},     0,      0};
  TextReader reader(reading, text, name, 0);
  Result<ConfigValue::Map> root = reader.read();
  if (!root) return root.take_error();
  return ConfigTree{std::move(reading.files), std::move(root.value())};
}

Result<ConfigTree> parse_config_file(const std::string& path, const ConfigSource& source) {
  const Result<std::string> text = source.read_file(path);
  if (!text) return text.error();
  return parse_config_text(*text, path, source);
}

}  // namespace martlet::server
