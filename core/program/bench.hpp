// SPDX-License-Identifier: Apache-2.0
//
// Owns `martlet bench`: measures publishing, subscribing and requests against a server.
#pragma once

#include <string>
#include <vector>

namespace martlet::program {

int run_bench(const std::string& called_as, const std::vector<std::string>& arguments);

}  // namespace martlet::program
