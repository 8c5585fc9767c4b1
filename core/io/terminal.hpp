// SPDX-License-Identifier: Apache-2.0
//
// Owns what a program asks about its standard streams. For the program only.
#pragma once

namespace martlet::io {

bool is_input_terminal();
bool is_output_terminal();

}  // namespace martlet::io
