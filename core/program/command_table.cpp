// SPDX-License-Identifier: Apache-2.0
//
// Owns the table of commands and the way from the first word to one of them.
#include "program/command_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "program/bench.hpp"
#include "program/pub.hpp"
#include "program/reply.hpp"
#include "program/request.hpp"
#include "program/serve.hpp"
#include "program/sub.hpp"

namespace martlet::program {
namespace {

constexpr Command commands[] = {
    {"serve", "", "run a server; takes the flags of nats-server", run_serve},
    {"pub", "publish", "publish messages", run_pub},
    {"sub", "subscribe", "show the messages of subjects", run_sub},
    {"request", "req", "send a request and show the answers", run_request},
    {"reply", "", "answer requests", run_reply},
    {"bench", "", "measure a server", run_bench},
};

std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

void print(std::FILE* to, const std::string& text) { std::fwrite(text.data(), 1, text.size(), to); }

}  // namespace

const Command* find_command(std::string_view name) {
  const Command* const found =
      std::find_if(std::begin(commands), std::end(commands), [name](const Command& command) {
        return !name.empty() && (command.name == name || command.other_name == name);
      });
  return found == std::end(commands) ? nullptr : found;
}

std::string commands_help() {
  std::string help = "Usage: martlet COMMAND [options]\n\n";
  for (const Command& command : commands)
    help += fmt::format("    {:10}{}\n", command.name, command.summary);
  help +=
      "    version   the version\n    help      this text\n\n`martlet COMMAND -h` tells the "
      "options of one.\n";
  return help;
}

int run_program(const std::vector<std::string>& words) {
  const std::string program = words.empty() ? "martlet" : last_part(words[0]);
  std::vector<std::string> arguments(words.begin() + (words.empty() ? 0 : 1), words.end());
  if (program == "nats-server") return run_serve(program, arguments);
  if (arguments.empty()) {
    print(stderr, commands_help());
    return 2;
  }
  const std::string name = arguments[0];
  arguments.erase(arguments.begin());
  if (name == "help" || name == "-h" || name == "--help") {
    print(stdout, commands_help());
    return 0;
  }
  if (name == "version" || name == "-v" || name == "--version") {
    print(stdout, version_line("martlet"));
    return 0;
  }
  const Command* const command = find_command(name);
  if (command == nullptr) {
    print(stderr, fmt::format("martlet: no command {}; `martlet help` lists them\n", name));
    return 2;
  }
  return command->run("martlet " + name, arguments);
}

}  // namespace martlet::program
