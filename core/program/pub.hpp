// SPDX-License-Identifier: Apache-2.0
//
// Owns `martlet pub`: publishes one message or many, from the command line or standard input.
#pragma once

#include <string>
#include <vector>

namespace martlet::program {

int run_pub(const std::string& called_as, const std::vector<std::string>& arguments);

}  // namespace martlet::program
