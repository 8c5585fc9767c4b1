// SPDX-License-Identifier: Apache-2.0
//
// Owns the parsing of the client tools' command lines.
#include "program/command_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/go_duration.hpp"

namespace martlet::program {
namespace {

Status bad(std::string text) { return Status(ErrorCode::invalid_argument, std::move(text)); }

bool read_number(std::string_view text, int64_t* out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

}  // namespace

Result<int64_t> parse_size(std::string_view text) {
  size_t digits = 0;
  while (digits < text.size() && std::isdigit(static_cast<unsigned char>(text[digits]))) ++digits;
  std::string unit(text.substr(digits));
  std::transform(unit.begin(), unit.end(), unit.begin(),
                 [](unsigned char c) { return std::toupper(c); });
  std::erase(unit, 'I');
  if (unit.ends_with('B')) unit.pop_back();
  int64_t value = 0;
  const std::string_view units = " KMG";
  const size_t power = unit.empty() ? 0 : units.find(unit);
  if (unit.size() > 1 || power == std::string_view::npos ||
      !read_number(text.substr(0, digits), &value) || value > (INT64_MAX >> (10 * power))) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("\"{}\" is no size such as 128B or 4KB", text)};
  }
  return value << (10 * power);
}

void CommandLine::add_text(char letter, std::string name, std::string about, std::string* value) {
  flags_.push_back(
      {letter, std::move(name), std::move(about), false, [value](const std::string& text) {
         *value = text;
         return Status();
       }});
}

void CommandLine::add_texts(char letter, std::string name, std::string about,
                            std::vector<std::string>* values) {
  flags_.push_back(
      {letter, std::move(name), std::move(about), false, [values](const std::string& text) {
         values->push_back(text);
         return Status();
       }});
}

void CommandLine::add_number(char letter, std::string name, std::string about, int64_t* value,
                             int64_t least) {
  flags_.push_back(
      {letter, name, std::move(about), false, [value, least, name](const std::string& text) {
         if (!read_number(text, value))
           return bad(fmt::format("--{}: \"{}\" is no number", name, text));
         if (*value < least) return bad(fmt::format("--{}: {} is below {}", name, *value, least));
         return Status();
       }});
}

void CommandLine::add_duration(char letter, std::string name, std::string about,
                               int64_t* value_ns) {
  flags_.push_back(
      {letter, name, std::move(about), false, [value_ns, name](const std::string& text) {
         const Result<int64_t> duration = parse_go_duration(text);
         if (!duration || *duration < 0) {
           return bad(
               fmt::format("--{}: \"{}\" is no duration such as 300ms or 1m30s", name, text));
         }
         *value_ns = *duration;
         return Status();
       }});
}

void CommandLine::add_size(char letter, std::string name, std::string about, int64_t* value_bytes) {
  flags_.push_back(
      {letter, name, std::move(about), false, [value_bytes, name](const std::string& text) {
         const Result<int64_t> size = parse_size(text);
         if (!size) return bad(fmt::format("--{}: {}", name, size.error().context));
         *value_bytes = *size;
         return Status();
       }});
}

void CommandLine::add_switch(char letter, std::string name, std::string about, bool* value) {
  flags_.push_back(
      {letter, std::move(name), std::move(about), true, [value](const std::string& text) {
         *value = text != "false";
         return Status();
       }});
}

const CommandLine::Flag* CommandLine::find(std::string_view name) const {
  const auto found = std::find_if(flags_.begin(), flags_.end(),
                                  [&](const Flag& flag) { return flag.name == name; });
  return found == flags_.end() ? nullptr : &*found;
}

const CommandLine::Flag* CommandLine::find(char letter) const {
  const auto found = std::find_if(flags_.begin(), flags_.end(),
                                  [&](const Flag& flag) { return flag.letter == letter; });
  return found == flags_.end() || letter == 0 ? nullptr : &*found;
}

Status CommandLine::take_long(const std::vector<std::string>& words, size_t* at) {
  const std::string& word = words[*at];
  const size_t equals = word.find('=');
  const std::string name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
  const Flag* flag = find(name);
  if (flag == nullptr && name.starts_with("no-")) {
    flag = find(name.substr(3));
    if (flag != nullptr && flag->is_switch && equals == std::string::npos)
      return flag->take("false");
    flag = nullptr;
  }
  if (flag == nullptr) return bad(fmt::format("there is no flag --{}", name));
  if (equals != std::string::npos) return flag->take(word.substr(equals + 1));
  if (flag->is_switch) return flag->take("true");
  if (++*at == words.size()) return bad(fmt::format("--{} needs a value", name));
  return flag->take(words[*at]);
}

Status CommandLine::take_short(const std::vector<std::string>& words, size_t* at) {
  const std::string& word = words[*at];
  for (size_t i = 1; i < word.size(); ++i) {
    const Flag* const flag = find(word[i]);
    if (flag == nullptr) return bad(fmt::format("there is no flag -{}", word[i]));
    if (flag->is_switch) {
      Status status = flag->take("true");
      if (!status) return status;
      continue;
    }
    if (i + 1 < word.size()) return flag->take(word.substr(i + 1 + (word[i + 1] == '=' ? 1 : 0)));
    if (++*at == words.size()) return bad(fmt::format("-{} needs a value", flag->letter));
    return flag->take(words[*at]);
  }
  return Status();
}

Status CommandLine::parse(const std::vector<std::string>& words) {
  bool only_words = false;
  for (size_t at = 0; at < words.size(); ++at) {
    const std::string& word = words[at];
    if (!only_words && word == "--") {
      only_words = true;
    } else if (!only_words && (word == "-h" || word == "--help")) {
      asks_help_ = true;
    } else if (only_words || word.size() < 2 || word[0] != '-') {
      positional_.push_back(word);
    } else {
      Status status = word[1] == '-' ? take_long(words, &at) : take_short(words, &at);
      if (!status) return status;
    }
  }
  return Status();
}

std::string CommandLine::help(const std::string& called_as) const {
  std::string text = fmt::format("Usage: {} {}\n\n{}\n\n", called_as, usage_, about_);
  for (const Flag& flag : flags_) {
    const std::string letter = flag.letter != 0 ? fmt::format("-{}, ", flag.letter) : "    ";
    text += fmt::format("  {}{:24}{}\n", letter, "--" + flag.name + (flag.is_switch ? "" : " ..."),
                        flag.about);
  }
  return text + "  -h, --help                  this text\n";
}

}  // namespace martlet::program
