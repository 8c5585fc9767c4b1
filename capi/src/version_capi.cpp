// SPDX-License-Identifier: Apache-2.0
//
// Owns the versions that a program may ask the loaded library for.
#include "martlet/version.h"

#include <string_view>

extern "C" {

int32_t martlet_abi_version(void) { return MARTLET_ABI_MAJOR * 1000 + MARTLET_ABI_MINOR; }

const char* martlet_version_text(int64_t* out_bytes) {
  constexpr std::string_view text = MARTLET_VERSION;
  if (out_bytes != nullptr) *out_bytes = static_cast<int64_t>(text.size());
  return text.data();
}

}  // extern "C"
