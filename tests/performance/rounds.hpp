// SPDX-License-Identifier: Apache-2.0
//
// Owns what the programs here have in common that measure our C++ client: numbers on the command
// line, the end on a failure with a sentence, medians over some rounds, the file that bench.py
// reads.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace martlet::performance {

/// Ends the program, with its name before `what`.
[[noreturn]] void die(const std::string& what);

/// Dies of a failure, and says of what.
void check(const Status& status, std::string_view what);

template <typename T>
T taken(Result<T> made, std::string_view what) {
  if (!made) check(made.take_error(), what);
  return std::move(*made);
}

/// A whole number on the command line; dies of any other, and of one out of bounds.
int32_t read_number(std::string_view name, std::string_view text, int32_t min, int32_t max);

double median(std::vector<double> values);

struct Arguments {
  int32_t messages = 0;
  int32_t rounds = 3;
  std::string json;
};

/// [--messages N] [--rounds N] [--json FILE]
Arguments read_arguments(int argc, char** argv, int32_t messages, int32_t messages_min);

/// By the names of the figures: what measures each once.
using Rows = std::map<std::string, std::function<double()>>;

/// Every row in turn, some rounds; prints the medians, and writes them where --json says.
void measure(const Rows& rows, const Arguments& arguments);

}  // namespace martlet::performance
