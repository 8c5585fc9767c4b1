// SPDX-License-Identifier: Apache-2.0
//
// Owns the table of the C functions that the addon calls, for the check of its surface.
#pragma once

#include <napi.h>

namespace martlet::node {

void bind_c_functions(Napi::Env env, Napi::Object exports);

}  // namespace martlet::node
