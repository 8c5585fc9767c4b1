// SPDX-License-Identifier: Apache-2.0
//
// Owns how martlet_batch_info crosses: the caller's size is checked, what it does not know is left
// out.
#pragma once

#include <algorithm>
#include <cstring>

#include "boundary.hpp"
#include "client/completion_layout.hpp"
#include "martlet/batch.h"

namespace martlet::capi {

/// The size of the struct in the first version; no caller can know less.
constexpr int32_t info_bytes_min = 32;

inline bool read_info(const martlet_batch_info* info, Answer& answer) {
  if (info->info_bytes < info_bytes_min || info->info_bytes > 4096) {
    answer =
        Answer(MARTLET_ERR_INVALID_ARGUMENT, "info_bytes is " + std::to_string(info->info_bytes) +
                                                 ": set it to sizeof(martlet_batch_info)");
    return false;
  }
  if (info->reserved != 0) {
    answer = Answer(MARTLET_ERR_INVALID_ARGUMENT, "martlet_batch_info.reserved is not 0");
    return false;
  }
  return true;
}

inline void write_info(martlet_batch_info* out, int32_t count, int64_t descriptors_offset,
                       int64_t block_bytes) {
  martlet_batch_info info{};
  info.info_bytes = out->info_bytes;
  info.count = count;
  info.stride_bytes = client::completion_stride_bytes;
  info.descriptors_offset = descriptors_offset;
  info.block_bytes = block_bytes;
  std::memcpy(out, &info, std::min<size_t>(sizeof(info), static_cast<size_t>(out->info_bytes)));
}

}  // namespace martlet::capi
