// SPDX-License-Identifier: Apache-2.0
//
// Owns the small pieces of the configuration language: characters with their line and column, keys,
// strings with escapes, numbers with suffixes, datetimes, blocks, paths of includes. What stands
// where is config_language.hpp's. Promise: accepts and refuses, in the same words, what the
// configuration reader of nats-server does.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace martlet::server {

/// One piece of text that was recognised, with its place as nats-server counts it.
struct ConfigToken {
  enum class Kind { string, boolean, integer, floating, datetime, variable, key, include };
  Kind kind = Kind::string;
  std::string text;
  int line = 1;
  int column = 0;
};

/// Reads one text from front to back. Methods that recognise something return false when they could
/// not: then either error() says why, or the text ended where an end is allowed (ended()).
class ConfigScanner {
 public:
  /// What next() gives at the end of the text. A zero byte reads the same, as it does in
  /// nats-server.
  static constexpr char32_t end = 0;
  /// What a key belongs to: decides how an end of the text within it reads.
  enum class KeyOf { text, map };

  explicit ConfigScanner(std::string_view text) : text_(text) {}

  char32_t next();
  /// Steps back over the last next(); only once for each.
  void backup();
  char32_t peek();
  /// Drops what was read since the last token.
  void ignore();
  /// True when something was read since the last token or ignore().
  bool has_pending() const { return position_ > start_; }

  /// After `#`, or after the second `/`: up to the end of the line.
  void skip_comment();
  /// After one `/`: is there a second one? If so both are gone.
  bool take_second_slash();

  /// A value other than an array or a map, its first character not yet read.
  bool scan_scalar(ConfigToken& token);
  /// A key without quotes whose first character was read. The end of the text ends one of the text,
  /// not one of a map.
  bool scan_bare_key(KeyOf owner, ConfigToken& token);
  /// A key whose opening quote was read and ignored.
  bool scan_quoted_key(char32_t quote, KeyOf owner, ConfigToken& token);
  /// What follows the word `include`.
  bool scan_include(ConfigToken& token);

  /// The place of a token of no length at this point: ends of arrays and maps.
  ConfigToken here();

  /// Refuses at this point: `Parse error on line N: 'sentence'`. Always false, to be returned.
  bool fail(std::string_view sentence);
  /// Refuses with a whole sentence.
  bool fail_plain(std::string sentence);
  bool end_early();

  const std::optional<std::string>& error() const { return error_; }
  bool ended() const { return ended_; }
  int line() const { return line_; }
  int column() const { return static_cast<int>(position_ - item_line_start_); }

 private:
  void emit(ConfigToken::Kind kind, ConfigToken& token);
  bool end_or_fail();
  bool scan_single_quoted(ConfigToken& token);
  bool scan_double_quoted(ConfigToken& token);
  bool scan_block(ConfigToken& token);
  bool block_closes_here();
  bool scan_bare_string(ConfigToken& token);
  bool scan_escape();
  bool scan_hex_escape();
  bool scan_number_like(ConfigToken& token);
  bool scan_negative(ConfigToken& token);
  bool scan_suffix(ConfigToken& token);
  bool scan_after_dot(ConfigToken& token);
  bool scan_after_year(ConfigToken& token);
  bool scan_quoted_include(char32_t quote, std::string_view sentence, ConfigToken& token);

  std::string_view text_;
  size_t position_ = 0;
  size_t start_ = 0;            // Where the token being read begins.
  size_t width_ = 0;            // Of the last character, for backup().
  size_t line_start_ = 0;       // The newline before the current line; 0 on the first.
  size_t item_line_start_ = 0;  // The same, when the token being read began.
  int line_ = 1;
  std::string parts_;  // What escapes of the string being read gave so far.
  bool has_parts_ = false;
  std::optional<std::string> error_;
  bool ended_ = false;
};

/// Space between things in the widest sense, Unicode's included.
bool is_config_space(char32_t character);
/// Space within a line: blank and tab.
bool is_config_blank(char32_t character);
bool is_config_newline(char32_t character);
bool is_config_separator(char32_t character);

/// A character for a message: newlines are written `\n`, the end of the text as nothing.
std::string shown_character(char32_t character);

}  // namespace martlet::server
