// SPDX-License-Identifier: Apache-2.0
//
// Owns the recognition of single tokens, character by character.
#include "server/config_scanner.hpp"

#include <fmt/format.h>

#include "base/assert.hpp"
#include "server/config_scalars.hpp"

namespace martlet::server {
namespace {

constexpr char32_t replacement_character = 0xFFFD;

struct DecodedCharacter {
  char32_t character;
  size_t width;
};

// One UTF-8 character; a byte that begins none reads as the replacement character, one byte wide.
DecodedCharacter decode_character(std::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  size_t width = 0;
  char32_t value = 0;
  char32_t least = 0;
  if (first >= 0xC2 && first <= 0xDF) {
    width = 2, value = first & 0x1FU, least = 0x80;
  } else if (first >= 0xE0 && first <= 0xEF) {
    width = 3, value = first & 0x0FU, least = 0x800;
  } else if (first >= 0xF0 && first <= 0xF4) {
    width = 4, value = first & 0x07U, least = 0x10000;
  }
  if (width == 0 || text.size() < width) return {replacement_character, 1};
  for (size_t i = 1; i < width; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {replacement_character, 1};
    value = (value << 6U) | (byte(i) & 0x3FU);
  }
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < least || value > 0x10FFFF || surrogate) return {replacement_character, 1};
  return {value, width};
}

void append_utf8(std::string& out, char32_t character) {
  const auto put = [&out](char32_t byte) { out += static_cast<char>(byte); };
  if (character < 0x80) {
    put(character);
  } else if (character < 0x800) {
    put(0xC0U | (character >> 6U)), put(0x80U | (character & 0x3FU));
  } else if (character < 0x10000) {
    put(0xE0U | (character >> 12U)), put(0x80U | ((character >> 6U) & 0x3FU)),
        put(0x80U | (character & 0x3FU));
  } else {
    put(0xF0U | (character >> 18U)), put(0x80U | ((character >> 12U) & 0x3FU));
    put(0x80U | ((character >> 6U) & 0x3FU)), put(0x80U | (character & 0x3FU));
  }
}

bool is_digit(char32_t character) { return character >= '0' && character <= '9'; }

bool is_suffix_letter(char32_t character) {
  return character < 0x80 && std::string_view("kKmMgGtTpPeE").find(static_cast<char>(character)) !=
                                 std::string_view::npos;
}

// What may stand directly behind a number: `]` is not among them, so that [1] is no array of a
// number in NATS either.
bool ends_number(char32_t character) {
  return is_config_newline(character) || is_config_blank(character) ||
         character == ConfigScanner::end || character == '}' || character == ';' ||
         character == ',';
}

bool is_bool_word(std::string_view word) {
  const std::string lower = lower_case(word);
  return lower == "true" || lower == "false" || lower == "on" || lower == "off" || lower == "yes" ||
         lower == "no";
}

int hex_digit(char character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return -1;
}

}  // namespace

bool is_config_space(char32_t c) {
  return (c >= '\t' && c <= '\r') || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

bool is_config_blank(char32_t character) { return character == '\t' || character == ' '; }
bool is_config_newline(char32_t character) { return character == '\n' || character == '\r'; }
bool is_config_separator(char32_t character) { return character == '=' || character == ':'; }

std::string shown_character(char32_t character) {
  if (character == '\n') return "\\n";
  std::string out;
  if (character != ConfigScanner::end) append_utf8(out, character);
  return out;
}

char32_t ConfigScanner::next() {
  if (position_ >= text_.size()) {
    width_ = 0;
    return end;
  }
  if (text_[position_] == '\n') {
    ++line_;
    line_start_ = position_;
  }
  const DecodedCharacter decoded = decode_character(text_.substr(position_, 4));
  width_ = decoded.width;
  position_ += width_;
  return decoded.character;
}

void ConfigScanner::backup() {
  MARTLET_ASSERT(position_ >= width_);
  position_ -= width_;
  if (width_ != 0 && text_[position_] == '\n') --line_;
  width_ = 0;
}

char32_t ConfigScanner::peek() {
  const char32_t character = next();
  backup();
  return character;
}

void ConfigScanner::ignore() {
  start_ = position_;
  item_line_start_ = line_start_;
}

void ConfigScanner::emit(ConfigToken::Kind kind, ConfigToken& token) {
  token.kind = kind;
  token.text = parts_;
  token.text += text_.substr(start_, position_ - start_);
  token.line = line_;
  token.column = static_cast<int>(position_) - static_cast<int>(item_line_start_) -
                 static_cast<int>(token.text.size());
  parts_.clear();
  has_parts_ = false;
  ignore();
}

ConfigToken ConfigScanner::here() {
  ConfigToken token;
  ignore();
  emit(ConfigToken::Kind::string, token);
  return token;
}

bool ConfigScanner::fail(std::string_view sentence) {
  return fail_plain(fmt::format("Parse error on line {}: '{}'", line_, sentence));
}

bool ConfigScanner::fail_plain(std::string sentence) {
  if (!error_) error_ = std::move(sentence);
  return false;
}

bool ConfigScanner::end_early() {
  ended_ = true;
  return false;
}

bool ConfigScanner::end_or_fail() { return has_pending() ? fail("Unexpected EOF.") : end_early(); }

void ConfigScanner::skip_comment() {
  for (;;) {
    const char32_t character = peek();
    if (is_config_newline(character) || character == end) break;
    next();
  }
  ignore();
}

bool ConfigScanner::take_second_slash() {
  if (next() == '/') return true;
  backup();
  return false;
}

bool ConfigScanner::scan_scalar(ConfigToken& token) {
  const char32_t first = next();
  if (first == '\'') {
    ignore();
    return scan_single_quoted(token);
  }
  if (first == '"') {
    ignore();
    return scan_double_quoted(token);
  }
  if (first == '(') {
    ignore();
    return scan_block(token);
  }
  if (first == '-') return scan_negative(token);
  if (is_digit(first)) return scan_number_like(token);
  if (first == '.') return fail("Floats must start with a digit");
  if (is_config_newline(first)) return fail("Expected value but found new line");
  backup();
  return scan_bare_string(token);
}

bool ConfigScanner::scan_bare_key(KeyOf owner, ConfigToken& token) {
  for (;;) {
    const char32_t character = peek();
    if (character == end && owner == KeyOf::map) return fail("Unexpected EOF processing map key.");
    if (is_config_space(character) || is_config_separator(character) || character == end) break;
    next();
  }
  emit(ConfigToken::Kind::key, token);
  return true;
}

bool ConfigScanner::scan_quoted_key(char32_t quote, KeyOf owner, ConfigToken& token) {
  for (;;) {
    const char32_t character = peek();
    if (character == quote) break;
    if (character == end) {
      if (owner == KeyOf::text) return end_or_fail();
      return fail(quote == '"' ? "Unexpected EOF processing double quoted map key."
                               : "Unexpected EOF processing quoted map key.");
    }
    next();
  }
  emit(ConfigToken::Kind::key, token);
  next();
  ignore();
  return true;
}

bool ConfigScanner::scan_quoted_include(char32_t quote, std::string_view sentence,
                                        ConfigToken& token) {
  for (;;) {
    const char32_t character = next();
    if (character == quote) break;
    if (character == end) return fail(sentence);
  }
  backup();
  emit(ConfigToken::Kind::include, token);
  next();
  ignore();
  return true;
}

bool ConfigScanner::scan_include(ConfigToken& token) {
  while (is_config_blank(peek())) next();
  ignore();
  const char32_t first = next();
  if (first == '\'') {
    ignore();
    return scan_quoted_include('\'', "Unexpected EOF in quoted include", token);
  }
  if (first == '"') {
    ignore();
    return scan_quoted_include('"', "Unexpected EOF in double quoted include", token);
  }
  if (first == '[') return fail("Expected include value but found start of an array");
  if (first == '{') return fail("Expected include value but found start of a map");
  if (first == '(') return fail("Expected include value but found start of a block");
  if (is_digit(first) || first == '-')
    return fail("Expected include value but found start of a number");
  if (first == '\\') return fail("Expected include value but found escape sequence");
  if (is_config_newline(first)) return fail("Expected include value but found new line");
  backup();
  for (;;) {
    const char32_t character = next();
    const bool quote = character == '\'';
    if (!quote && !is_config_newline(character) && !is_config_blank(character) &&
        character != end && character != ';' && character != '}') {
      continue;
    }
    backup();
    emit(ConfigToken::Kind::include, token);
    if (quote) {
      next();
      ignore();
    }
    return true;
  }
}

bool ConfigScanner::scan_single_quoted(ConfigToken& token) {
  for (;;) {
    const char32_t character = next();
    if (character == '\'') break;
    if (character == end) return end_or_fail();
  }
  backup();
  emit(ConfigToken::Kind::string, token);
  next();
  ignore();
  return true;
}

bool ConfigScanner::scan_double_quoted(ConfigToken& token) {
  for (;;) {
    const char32_t character = next();
    if (character == '\\') {
      if (!scan_escape()) return false;
      continue;
    }
    if (character == '"') break;
    if (character == end) return end_or_fail();
  }
  backup();
  emit(ConfigToken::Kind::string, token);
  next();
  ignore();
  return true;
}

// A string without quotes. A quote at its end belongs to it no more, but is swallowed.
bool ConfigScanner::scan_bare_string(ConfigToken& token) {
  char32_t character = next();
  for (;; character = next()) {
    if (character == '\\') {
      if (!scan_escape()) return false;
      continue;
    }
    if (character == '\'') break;
    if (ends_number(character) || character == ']') break;
  }
  const bool quote = character == '\'';
  backup();
  const std::string_view word = text_.substr(start_, position_ - start_);
  if (quote || has_parts_) {
    emit(ConfigToken::Kind::string, token);
  } else if (is_bool_word(word)) {
    emit(ConfigToken::Kind::boolean, token);
  } else if (start_ < text_.size() && text_[start_] == '$') {
    ++start_;
    emit(ConfigToken::Kind::variable, token);
  } else {
    emit(ConfigToken::Kind::string, token);
  }
  if (quote) {
    next();
    ignore();
  }
  return true;
}

// After a backslash, which is not part of the value.
bool ConfigScanner::scan_escape() {
  parts_ += text_.substr(start_, position_ - 1 - start_);
  has_parts_ = true;
  start_ = position_;
  const char32_t character = next();
  switch (character) {
    case 'x':
      return scan_hex_escape();
    case 't':
      parts_ += '\t';
      break;
    case 'n':
      parts_ += '\n';
      break;
    case 'r':
      parts_ += '\r';
      break;
    case '"':
      parts_ += '"';
      break;
    case '\\':
      parts_ += '\\';
      break;
    default:
      return fail(fmt::format(
          "Invalid escape character '{}'. Only the following escape characters are allowed: "
          "\\xXX, \\t, \\n, \\r, \\\", \\\\.",
          shown_character(character)));
  }
  start_ = position_;
  return true;
}

bool ConfigScanner::scan_hex_escape() {
  for (int digit = 0; digit < 2; ++digit) {
    if (is_config_newline(next())) {
      return fail("Expected two hexadecimal digits after '\\x', but hit end of line");
    }
  }
  const std::string_view digits = text_.substr(position_ - 2, 2);
  const int high = hex_digit(digits[0]);
  const int low = hex_digit(digits[1]);
  if (high < 0 || low < 0) {
    return fail(fmt::format("Expected two hexadecimal digits after '\\x', but got '{}'", digits));
  }
  parts_ += static_cast<char>(high * 16 + low);
  start_ = position_;
  return true;
}

// After `(`: everything up to a `)` that stands alone on its line.
bool ConfigScanner::scan_block(ConfigToken& token) {
  for (;;) {
    const char32_t character = next();
    if (character == end) return fail("Unexpected EOF processing block.");
    if (character == ')' && block_closes_here()) break;
  }
  // At the very end of the text nats-server counts the parenthesis to the value; a newline behind
  // it makes it whole.
  const bool at_end = position_ >= text_.size();
  if (!at_end) --position_;
  emit(ConfigToken::Kind::string, token);
  if (!at_end) ++position_;
  ignore();
  return true;
}

bool ConfigScanner::block_closes_here() {
  if (position_ < 2 || text_[position_ - 2] != '\n') return false;
  return position_ >= text_.size() || text_[position_] == '\n' || text_[position_] == '\0';
}

// After the first digit: an integer, a float, a datetime, an address, or a word that begins with
// digits.
bool ConfigScanner::scan_number_like(ConfigToken& token) {
  for (;;) {
    const char32_t character = next();
    if (is_digit(character)) continue;
    if (character == '-') {
      if (position_ - start_ != 5) return fail("All ISO8601 dates must be in full Zulu form.");
      return scan_after_year(token);
    }
    if (character == '.') return scan_after_dot(token);
    if (is_suffix_letter(character)) return scan_suffix(token);
    if (!ends_number(character)) return scan_bare_string(token);
    backup();
    emit(ConfigToken::Kind::integer, token);
    return true;
  }
}

bool ConfigScanner::scan_negative(ConfigToken& token) {
  char32_t character = next();
  if (character == '.') return fail("Floats must start with a digit, not '.'.");
  if (!is_digit(character))
    return fail(fmt::format("Expected a digit but got '{}'.", shown_character(character)));
  while (is_digit(character)) character = next();
  if (character == '.') return scan_after_dot(token);
  if (is_suffix_letter(character)) return scan_suffix(token);
  backup();
  emit(ConfigToken::Kind::integer, token);
  return true;
}

bool ConfigScanner::scan_suffix(ConfigToken& token) {
  char32_t character = next();
  while (character == 'b' || character == 'B' || character == 'i' || character == 'I')
    character = next();
  backup();
  if (!ends_number(character)) return scan_bare_string(token);
  emit(ConfigToken::Kind::integer, token);
  return true;
}

bool ConfigScanner::scan_after_dot(ConfigToken& token) {
  char32_t character = next();
  if (!is_digit(character)) {
    return fail(fmt::format("Floats must have a digit after the '.', but got '{}' instead.",
                            shown_character(character)));
  }
  while (is_digit(character)) character = next();
  const bool address = character == '.';
  while (address &&
         (is_digit(character) || character == '.' || character == ':' || character == '-')) {
    character = next();
  }
  backup();
  emit(address ? ConfigToken::Kind::string : ConfigToken::Kind::floating, token);
  return true;
}

// After `YYYY-`.
bool ConfigScanner::scan_after_year(ConfigToken& token) {
  for (const char expected : std::string_view("00-00T00:00:00Z")) {
    const char32_t character = next();
    if (expected == '0') {
      if (!is_digit(character)) {
        return fail(fmt::format("Expected digit in ISO8601 datetime, but found '{}' instead.",
                                shown_character(character)));
      }
    } else if (character != static_cast<char32_t>(expected)) {
      return fail(fmt::format("Expected '{}' in ISO8601 datetime, but found '{}' instead.",
                              expected, shown_character(character)));
    }
  }
  emit(ConfigToken::Kind::datetime, token);
  return true;
}

}  // namespace martlet::server
