// SPDX-License-Identifier: Apache-2.0
//
// Owns the rounds, and the words of the command line.
#include "rounds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <limits>

namespace martlet::performance {
namespace {

constexpr int32_t any_number = std::numeric_limits<int32_t>::max();

void write_json(const std::string& path, const std::string& text) {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  if (file == nullptr || std::fputs(text.c_str(), file) < 0 || std::fclose(file) != 0) {
    die("cannot write " + path);
  }
}

}  // namespace

void die(const std::string& what) {
  std::fprintf(stderr, "%s: %s\n", program_invocation_short_name, what.c_str());
  std::exit(1);
}

void check(const Status& status, std::string_view what) {
  if (!status) die(fmt::format("{}: {}", what, status.error().context));
}

int32_t read_number(std::string_view name, std::string_view text, int32_t min, int32_t max) {
  int32_t number = 0;
  const char* const end = text.data() + text.size();
  const std::from_chars_result read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end || number < min || number > max) {
    die(fmt::format("{} is '{}', not a whole number from {} to {}", name, text, min, max));
  }
  return number;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

Arguments read_arguments(int argc, char** argv, int32_t messages, int32_t messages_min) {
  constexpr const char* usage = "options: [--messages N] [--rounds N] [--json FILE]";
  Arguments out;
  out.messages = messages;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (i + 1 == argc) die(usage);
    if (name == "--messages") {
      out.messages = read_number(name, argv[i + 1], messages_min, any_number);
    } else if (name == "--rounds") {
      out.rounds = read_number(name, argv[i + 1], 1, any_number);
    } else if (name == "--json") {
      out.json = argv[i + 1];
    } else {
      die(usage);
    }
  }
  return out;
}

void measure(const Rows& rows, const Arguments& arguments) {
  std::map<std::string, std::vector<double>> found;
  for (int32_t round = 0; round < arguments.rounds; ++round) {
    for (const auto& [name, once] : rows) found[name].push_back(once());
  }
  std::string json;
  for (const auto& [name, values] : found) {
    fmt::print("{:<36} {:12.2f}\n", name, median(values));
    json += fmt::format("{}\"{}\": {:.6f}", json.empty() ? "" : ", ", name, median(values));
  }
  if (!arguments.json.empty()) write_json(arguments.json, "{" + json + "}\n");
}

}  // namespace martlet::performance
