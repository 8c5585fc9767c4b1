// SPDX-License-Identifier: Apache-2.0
//
// Owns the entry of the program `martlet`, and nothing else: see command_table.hpp.
#include <string>
#include <vector>

#include "program/command_table.hpp"

int main(int count, char** words) {
  return martlet::program::run_program(std::vector<std::string>(words, words + count));
}
