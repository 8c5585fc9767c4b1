// SPDX-License-Identifier: Apache-2.0
//
// Owns `martlet serve`, which is also what the program does under the name nats-server: flags,
// configuration, log, files, signals, and a server between them.
#pragma once

#include <string>
#include <vector>

namespace martlet::program {

/// Returns the exit status: 0 after an orderly stop, 1 for a mistake or a server that could not
/// start.
int run_serve(const std::string& called_as, const std::vector<std::string>& arguments);

/// `martlet: v0.1.0 …`, or `nats-server: v2.15.2 …` for tools that look for the level they are
/// served at.
std::string version_line(const std::string& program);

}  // namespace martlet::program
