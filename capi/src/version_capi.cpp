// SPDX-License-Identifier: Apache-2.0
//
// Owns the versions that a program may ask the loaded library for.
#include "martlet/version.h"

#include <string_view>

#include "boundary.hpp"
#include "server/linked_libraries.hpp"

extern "C" {

int32_t martlet_abi_version(void) { return MARTLET_ABI_MAJOR * 1000 + MARTLET_ABI_MINOR; }

const char* martlet_version_text(int64_t* out_bytes) {
  constexpr std::string_view text = MARTLET_VERSION;
  if (out_bytes != nullptr) *out_bytes = static_cast<int64_t>(text.size());
  return text.data();
}

martlet_status martlet_linked_versions(martlet_text** out_json, martlet_error** out_error) {
  using martlet::capi::Answer;
  return martlet::capi::guarded(out_error, [&]() -> Answer {
    if (out_json == nullptr) return martlet::capi::missing("out_json");
    *out_json = martlet::capi::make_text(martlet::server::linked_libraries_json());
    return MARTLET_OK;
  });
}

}  // extern "C"
