// SPDX-License-Identifier: Apache-2.0
//
// Owns what a program asks the system about processes: its own number, others by name, and sending
// them a signal. For the program only: an embedded broker has no business here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace martlet::io {

/// The signals a server is steered with.
enum class ProcessSignal : uint8_t { kill, interrupt, terminate, user1, user2, hangup };

int64_t process_id();

/// Processes other than this one whose command line begins so, in ascending order. `words` is the
/// program's name without its folder and, behind blanks, the words that follow it: "martlet serve".
std::vector<int64_t> processes_called(const std::string& words);

/// To that one process: a number below 1, which would mean many, is as that of none. Fails with io
/// and the system's words.
Status send_signal(int64_t pid, ProcessSignal signal);

/// True when standard error is a terminal.
bool is_error_terminal();

/// This machine's name; "localhost" when it has none.
std::string host_name();

}  // namespace martlet::io
