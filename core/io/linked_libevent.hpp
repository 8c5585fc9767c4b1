// SPDX-License-Identifier: Apache-2.0
//
// Owns what this folder tells of the library that it links.
#pragma once

#include "base/linked_libraries.hpp"

namespace martlet::io {

LinkedLibrary linked_libevent();

}  // namespace martlet::io
