// SPDX-License-Identifier: Apache-2.0
//
// Owns the form in which a folder tells what it links, and what all of core is compiled with. Each
// folder names its own libraries; server/linked_libraries.hpp gathers them.
#pragma once

#include <array>

namespace martlet {

/// A library of others, and the version that is at work now: of a shared one the loaded version.
/// Both texts are static.
struct LinkedLibrary {
  const char* name;
  const char* version;
};

/// fmt, Boost.JSON and the C++ runtime.
std::array<LinkedLibrary, 3> linked_libraries();

}  // namespace martlet
