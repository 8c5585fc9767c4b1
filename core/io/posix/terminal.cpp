// SPDX-License-Identifier: Apache-2.0
//
// Owns the questions about standard streams.
#include "io/terminal.hpp"

#include <unistd.h>

namespace martlet::io {

bool is_input_terminal() { return isatty(STDIN_FILENO) == 1; }
bool is_output_terminal() { return isatty(STDOUT_FILENO) == 1; }

}  // namespace martlet::io
