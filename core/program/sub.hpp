// SPDX-License-Identifier: Apache-2.0
//
// Owns `martlet sub`: shows the messages of subjects.
#pragma once

#include <string>
#include <vector>

namespace martlet::program {

int run_sub(const std::string& called_as, const std::vector<std::string>& arguments);

}  // namespace martlet::program
