// SPDX-License-Identifier: Apache-2.0
//
// Owns the list of all that is linked inside, as it is shown to programs.
#pragma once

#include <string>

namespace martlet::server {

/// A JSON object: the name of each library of others, and its version.
std::string linked_libraries_json();

}  // namespace martlet::server
