// SPDX-License-Identifier: Apache-2.0
//
// Owns the list of what `martlet` can do: one entry for each word behind its name. A new command is
// a line in command_table.cpp and a file of its own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace martlet::program {

struct Command {
  std::string_view name;
  std::string_view other_name;  // By which the nats tool knows it too; empty: none.
  std::string_view summary;     // One line of the help.
  /// `called_as` is what a person typed, for messages: "martlet serve". Returns the exit status.
  int (*run)(const std::string& called_as, const std::vector<std::string>& arguments);
};

/// Null when there is no such command.
const Command* find_command(std::string_view name);

/// What `martlet help` shows.
std::string commands_help();

/// Runs the program: `words` are those of the command line, the program's path first. Under the
/// name nats-server (a link) it is `martlet serve`. Returns the exit status.
int run_program(const std::vector<std::string>& words);

}  // namespace martlet::program
