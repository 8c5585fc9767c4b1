// SPDX-License-Identifier: Apache-2.0
//
// Owns what this folder tells of the libraries that it links.
#pragma once

#include <array>

#include "base/linked_libraries.hpp"

namespace martlet::auth {

/// OpenSSL and libxcrypt.
std::array<LinkedLibrary, 2> linked_libraries();

}  // namespace martlet::auth
