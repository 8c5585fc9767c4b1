// SPDX-License-Identifier: Apache-2.0
//
// Owns the quoting of subjects in the texts of errors, as Go's %q does it.
#pragma once

#include <string>
#include <string_view>

namespace martlet {

/// Quotes as Go's %q does: what -ERR texts put around subjects.
std::string go_quoted(std::string_view text);

}  // namespace martlet
