// SPDX-License-Identifier: Apache-2.0
//
// Owns the flags of the server program: those of nats-server, by the rules of Go's flag package,
// which no parser library follows (`-js` and `-port` are whole words, `-x v`, `-x=v`, `--x v` and
// `--x=v` mean the same, a switch takes a value only behind `=`, the first word that is no flag
// ends them). Reads words, decides nothing about files or signals.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "server/options.hpp"

namespace martlet::server {

/// The value of one flag that was given; which member counts is the flag's matter.
struct FlagValue {
  bool boolean = false;
  int64_t integer = 0;
  std::string text;
};

struct FlagDescription;

/// What a command line says, checked but not yet applied.
struct ParsedFlags {
  struct Given {
    const FlagDescription* flag;
    FlagValue value;
  };
  std::vector<Given> given;  // In the order of the command line: the last of a kind counts.
  bool shows_version = false;
  bool shows_help = false;
  bool shows_tls_help = false;
  bool checks_config = false;
  std::string config_file;
  std::string signal;              // "reopen" or "stop=123".
  std::vector<std::string> words;  // What stood behind the flags.
};

/// Fails with invalid_argument in Go's words; the program then prints its usage.
Result<ParsedFlags> parse_flags(const std::vector<std::string>& arguments);

/// Fails with unsupported when a flag was given that NATS knows and this version does not.
Status check_later_flags(const ParsedFlags& flags);

/// Lays the flags over the options, which come from the file or are the defaults: flags beat the
/// file.
void apply_flags(const ParsedFlags& flags, Options& options);

/// What `-h` shows. `program` is what a person types: "nats-server" or "martlet serve".
std::string flags_usage(std::string_view program);

/// Every name a flag can be given by, for tests and completion.
std::vector<std::string_view> flag_names();
/// True for a switch: it takes a value only behind `=`.
bool is_switch(std::string_view flag_name);

}  // namespace martlet::server
