// SPDX-License-Identifier: Apache-2.0
//
// Owns `martlet reply`: answers requests with a text or their own bytes.
#pragma once

#include <string>
#include <vector>

namespace martlet::program {

int run_reply(const std::string& called_as, const std::vector<std::string>& arguments);

}  // namespace martlet::program
