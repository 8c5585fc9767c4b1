// SPDX-License-Identifier: Apache-2.0
//
// Owns the command lines of the client tools: flags anywhere, in the forms `--name value`,
// `--name=value`, `-n value`,
// `-nvalue`, `--[no-]name` for switches, `--` before words that begin with a dash. (`serve` has
// Go's rules instead.)
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace martlet::program {

class CommandLine {
 public:
  /// `usage` is what stands behind the command's name; `about` one sentence.
  CommandLine(std::string usage, std::string about)
      : usage_(std::move(usage)), about_(std::move(about)) {}

  // What the command takes; `letter` 0: no short form. The values are written by parse().
  void add_text(char letter, std::string name, std::string about, std::string* value);
  void add_texts(char letter, std::string name, std::string about,
                 std::vector<std::string>* values);
  void add_number(char letter, std::string name, std::string about, int64_t* value, int64_t least);
  void add_duration(char letter, std::string name, std::string about, int64_t* value_ns);
  /// "128", "128B", "4KB", "1MiB": powers of 1024.
  void add_size(char letter, std::string name, std::string about, int64_t* value_bytes);
  void add_switch(char letter, std::string name, std::string about, bool* value);

  /// Fails with invalid_argument, in one sentence. `-h` and `--help` set asks_help().
  Status parse(const std::vector<std::string>& words);
  bool asks_help() const { return asks_help_; }
  const std::vector<std::string>& positional() const { return positional_; }
  std::string help(const std::string& called_as) const;

 private:
  struct Flag {
    char letter;
    std::string name;
    std::string about;
    bool is_switch;
    std::function<Status(const std::string& text)> take;
  };
  const Flag* find(std::string_view name) const;
  const Flag* find(char letter) const;
  Status take_long(const std::vector<std::string>& words, size_t* at);
  Status take_short(const std::vector<std::string>& words, size_t* at);

  const std::string usage_;
  const std::string about_;
  std::vector<Flag> flags_;
  std::vector<std::string> positional_;
  bool asks_help_ = false;
};

/// Fails with invalid_argument.
Result<int64_t> parse_size(std::string_view text);

}  // namespace martlet::program
