// SPDX-License-Identifier: Apache-2.0
//
// Owns `martlet request`: asks, and shows the answers.
#pragma once

#include <string>
#include <vector>

namespace martlet::program {

int run_request(const std::string& called_as, const std::vector<std::string>& arguments);

}  // namespace martlet::program
