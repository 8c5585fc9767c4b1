// SPDX-License-Identifier: Apache-2.0
//
// Owns the grammar of JSON, with a stack of its own for what is open.
#include "base/json_walk.hpp"

#include <string>

namespace martlet {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex_digit(char c) { return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); }

class JsonChecker {
 public:
  explicit JsonChecker(std::string_view text, size_t depth_max)
      : at_(text.data()), end_(text.data() + text.size()), depth_max_(depth_max) {}

  bool run() {
    bool is_over = false;
    while (!is_over) {
      if (!take_start_of_value() || !take_ends_of_values(is_over)) return false;
    }
    return at_ == end_;
  }

 private:
  // A scalar, an empty container, or the way into one up to its first value.
  bool take_start_of_value() {
    for (;;) {
      skip_blanks();
      if (at_ == end_) return false;
      if (*at_ != '{' && *at_ != '[') return take_scalar();
      if (open_.size() == depth_max_) return false;
      open_ += *at_++;
      skip_blanks();
      if (at_ < end_ && *at_ == closer()) return true;
      if (open_.back() == '{' && !take_key()) return false;
    }
  }

  // What closes behind a value, up to the next one or to the end of all.
  bool take_ends_of_values(bool& is_over) {
    for (;;) {
      skip_blanks();
      is_over = open_.empty();
      if (is_over) return true;
      if (at_ == end_) return false;
      const char c = *at_++;
      if (c == closer()) {
        open_.pop_back();
        continue;
      }
      return c == ',' && (open_.back() != '{' || take_key());
    }
  }

  char closer() const { return open_.back() == '{' ? '}' : ']'; }

  void skip_blanks() {
    while (at_ < end_ && is_blank(*at_)) at_ += 1;
  }

  bool take_key() {
    skip_blanks();
    if (at_ == end_ || *at_ != '"' || !take_string()) return false;
    skip_blanks();
    return take(':');
  }

  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    at_ += 1;
    return true;
  }

  bool take_scalar() {
    switch (*at_) {
      case '"':
        return take_string();
      case 't':
        return take_word("true");
      case 'f':
        return take_word("false");
      case 'n':
        return take_word("null");
      default:
        return take_number();
    }
  }

  bool take_word(std::string_view word) {
    if (!std::string_view(at_, static_cast<size_t>(end_ - at_)).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  bool take_string() {
    at_ += 1;
    while (at_ < end_ && *at_ != '"') {
      if (static_cast<unsigned char>(*at_) < 0x20) return false;
      if (*at_ == '\\' && !take_escape()) return false;
      at_ += 1;
    }
    return take('"');
  }

  // Stays on its last byte.
  bool take_escape() {
    at_ += 1;
    if (at_ == end_) return false;
    if (*at_ != 'u') return std::string_view("\"\\/bfnrt").find(*at_) != std::string_view::npos;
    for (int i = 0; i < 4; i++) {
      at_ += 1;
      if (at_ == end_ || !is_hex_digit(*at_)) return false;
    }
    return true;
  }

  bool take_digits() {
    if (at_ == end_ || !is_digit(*at_)) return false;
    while (at_ < end_ && is_digit(*at_)) at_ += 1;
    return true;
  }

  bool take_number() {
    (void)take('-');
    if (!take('0') && !take_digits()) return false;
    if (take('.') && !take_digits()) return false;
    if (!take('e') && !take('E')) return true;
    if (!take('+')) (void)take('-');
    return take_digits();
  }

  const char* at_;
  const char* const end_;
  const size_t depth_max_;
  std::string open_;  // The '{' and '[' that are.
};

// Behind the string that starts at `at`, in a text that is JSON.
const char* end_of_string(const char* at, const char* end) {
  for (at += 1; at < end && *at != '"'; at += 1) {
    if (*at == '\\') at += 1;
  }
  return at < end ? at + 1 : end;
}

}  // namespace

bool is_json(std::string_view text, size_t depth_max) { return JsonChecker(text, depth_max).run(); }

JsonMembers::JsonMembers(std::string_view text)
    : at_(text.data()), end_(text.data() + text.size()) {
  skip_blanks();
  is_object_ = at_ < end_ && *at_ == '{';
  const bool is_array = at_ < end_ && *at_ == '[';
  at_ = is_object_ || is_array ? at_ + 1 : end_;
}

bool JsonMembers::next(std::string_view& key, std::string_view& value) {
  skip_blanks();
  if (at_ < end_ && *at_ == ',') at_ += 1;
  skip_blanks();
  if (at_ == end_ || *at_ == '}' || *at_ == ']') {
    at_ = end_;
    return false;
  }
  key = {};
  if (is_object_) {
    key = take_value();
    skip_blanks();
    if (at_ < end_) at_ += 1;  // The colon.
    skip_blanks();
  }
  value = take_value();
  return true;
}

std::string_view JsonMembers::take_value() {
  const char* const start = at_;
  size_t depth = 0;
  do {
    if (at_ == end_) break;
    const char c = *at_;
    if (c == '"') {
      at_ = end_of_string(at_, end_);
    } else if (c == '{' || c == '[') {
      depth += 1;
      at_ += 1;
    } else if (c == '}' || c == ']') {
      depth -= 1;
      at_ += 1;
    } else if (depth > 0) {
      at_ += 1;
    } else {
      while (at_ < end_ && !is_blank(*at_) && *at_ != ',' && *at_ != '}' && *at_ != ']') at_ += 1;
    }
  } while (depth > 0);
  return {start, static_cast<size_t>(at_ - start)};
}

void JsonMembers::skip_blanks() {
  while (at_ < end_ && is_blank(*at_)) at_ += 1;
}

}  // namespace martlet
