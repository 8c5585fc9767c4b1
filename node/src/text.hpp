// SPDX-License-Identifier: Apache-2.0
//
// Owns the telling of a string that is no text: JavaScript's may hold half a surrogate pair, which
// UTF-8 has no bytes for.
#pragma once

#include <node_api.h>

#include <string_view>

namespace martlet::node {

/// Whether `value`, which has been read as `text`, is a string with half a surrogate pair. By the
/// plain Node-API; of what has no U+FFFD, which is nearly all, only `text` is looked at.
bool has_half_pair(napi_env env, napi_value value, std::string_view text);

}  // namespace martlet::node
