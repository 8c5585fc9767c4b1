// SPDX-License-Identifier: Apache-2.0
//
// Owns the words for an error number of the system, as Go prints them and people search for them:
// without a capital.
#pragma once

#include <string>

namespace martlet::io {

/// "no such file or directory" for ENOENT.
std::string system_words(int error_number);

}  // namespace martlet::io
