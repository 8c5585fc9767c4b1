// SPDX-License-Identifier: Apache-2.0
//
// See subject.hpp. Each function is one loop; a token ends at a dot or at the end of the text.
#include "subject/subject.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace martlet::subject {
namespace {

/// Takes tokens off the front of a text. At the end `done` is set; an empty text holds one empty
/// token.
struct TokenCursor {
  const char* at;
  const char* end;
  bool done = false;

  explicit TokenCursor(std::string_view text) noexcept : at(text.data()), end(at + text.size()) {}

  std::string_view next() noexcept {
    const char* const begin = at;
    while (at != end && *at != '.') ++at;
    const std::string_view token(begin, static_cast<size_t>(at - begin));
    if (at == end) {
      done = true;
    } else {
      ++at;
    }
    return token;
  }
};

bool is_star(std::string_view token) noexcept { return token.size() == 1 && token[0] == '*'; }
bool is_rest(std::string_view token) noexcept { return token.size() == 1 && token[0] == '>'; }

// What ends a run of bytes that need no thought: the end of a token, and what separates arguments
// on the wire.
constexpr std::array<bool, 256> ends_run = [] {
  std::array<bool, 256> ends{};
  for (const char c : {'.', ' ', '\t', '\r', '\n'}) ends[static_cast<unsigned char>(c)] = true;
  return ends;
}();

const char* skip_run(const char* at, const char* end) noexcept {
  while (at != end && !ends_run[static_cast<unsigned char>(*at)]) ++at;
  return at;
}

bool check(std::string_view subject, bool wildcards_allowed) noexcept {
  const char* at = subject.data();
  const char* const end = at + subject.size();
  for (;;) {
    const char* const token = at;
    at = skip_run(at, end);
    if (at == token || (at != end && *at != '.')) return false;
    if (at - token == 1 && (*token == '*' || *token == '>')) {
      if (!wildcards_allowed || (*token == '>' && at != end)) return false;
    }
    if (at == end) return true;
    ++at;
  }
}

/// Whether the text has an empty token.
bool has_empty_token(std::string_view text) noexcept {
  bool token_is_empty = true;
  for (const char c : text) {
    if (c != '.') {
      token_is_empty = false;
    } else if (token_is_empty) {
      return true;
    } else {
      token_is_empty = true;
    }
  }
  return token_is_empty;
}

}  // namespace

bool is_valid(std::string_view subject) noexcept { return check(subject, true); }

bool is_valid_literal(std::string_view subject) noexcept { return check(subject, false); }

std::string_view fault_of(std::string_view subject, bool literal) noexcept {
  if (check(subject, !literal)) return {};
  if (subject.empty()) return "it is empty";
  if (subject.find_first_of(" \t\r\n") != std::string_view::npos)
    return "it holds a space, a tab or a line end";
  if (has_empty_token(subject)) return "a token of it is empty";
  return literal ? "wildcards are for subscriptions" : "nothing may follow the wildcard >";
}

bool has_plain_tokens(std::string_view subject) noexcept {
  if (subject.empty() || subject.front() == '.' || subject.back() == '.') return false;
  return subject.find("..") == std::string_view::npos && is_literal(subject);
}

bool is_literal(std::string_view subject) noexcept {
  const size_t bytes = subject.size();
  for (size_t i = 0; i < bytes; ++i) {
    if (subject[i] != '*' && subject[i] != '>') continue;
    const bool starts = i == 0 || subject[i - 1] == '.';
    const bool ends = i + 1 == bytes || subject[i + 1] == '.';
    if (starts && ends) return false;
  }
  return true;
}

size_t token_count(std::string_view subject) noexcept {
  if (subject.empty()) return 0;
  return 1 + static_cast<size_t>(std::count(subject.begin(), subject.end(), '.'));
}

bool matches(std::string_view pattern, std::string_view literal) noexcept {
  TokenCursor wanted(pattern);
  TokenCursor given(literal);
  while (!wanted.done && !given.done) {
    const std::string_view want = wanted.next();
    if (want.empty()) return false;
    if (is_rest(want)) {
      return wanted.done && !has_empty_token({given.at, static_cast<size_t>(given.end - given.at)});
    }
    const std::string_view have = given.next();
    if (have.empty()) return false;
    if (!is_star(want) && want != have) return false;
  }
  return wanted.done && given.done;
}

bool is_subset(std::string_view inner, std::string_view outer) noexcept {
  if (!is_valid(inner) || !is_valid(outer)) return false;
  TokenCursor inside(inner);
  TokenCursor around(outer);
  while (!inside.done && !around.done) {
    const std::string_view narrow = inside.next();
    const std::string_view wide = around.next();
    if (is_rest(wide)) return true;
    if (is_rest(narrow)) return false;
    if (!is_star(wide) && narrow != wide) return false;
  }
  return inside.done && around.done;
}

}  // namespace martlet::subject
