// SPDX-License-Identifier: Apache-2.0
//
// Owns the table of the C functions that this module calls, and of what stands for each in it.
#pragma once

#include "support.hpp"

namespace martlet::python {

/// c_functions() and c_functions_replaced(), which tests/surface compares with the headers.
void add_c_functions(py::module_& module);

}  // namespace martlet::python
