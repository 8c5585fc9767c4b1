// SPDX-License-Identifier: Apache-2.0
//
// Owns the questions of martlet/version.h, in C++'s terms.
#pragma once

#include <string>

#include "martlet/cpp/error.hpp"
#include "martlet/version.h"

namespace martlet::cpp {

/// What others have made and the library carries inside, with versions: a JSON object.
inline std::string linked_versions() {
  ErrorOut error;
  martlet_text* text = nullptr;
  check(martlet_linked_versions(&text, error), error);
  return take_text(text);
}

}  // namespace martlet::cpp
