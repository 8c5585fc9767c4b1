// SPDX-License-Identifier: Apache-2.0
//
// Owns a counted reference to a batch, and the reading of its descriptors. Views point into the
// batch: keep it.
#pragma once

#include <string_view>

#include "martlet/batch.h"
#include "martlet/cpp/error.hpp"

namespace martlet::cpp {

/// Lifecycle: from a poll or a request; copies share the batch. Any number of threads may read one
/// batch.
class Batch {
 public:
  Batch() = default;
  /// Takes over one reference.
  explicit Batch(martlet_batch* batch) : batch_(batch) { read_shape(); }
  Batch(const Batch& other) : batch_(other.batch_) {
    if (batch_) martlet_batch_retain(batch_, nullptr);
    read_shape();
  }
  Batch(Batch&& other) noexcept : batch_(other.batch_) {
    other.batch_ = nullptr;
    read_shape();
    other.read_shape();
  }
  Batch& operator=(Batch other) noexcept {
    std::swap(batch_, other.batch_);
    read_shape();
    other.read_shape();
    return *this;
  }
  ~Batch() { martlet_batch_release(batch_); }

  explicit operator bool() const { return batch_ != nullptr; }
  int32_t count() const { return count_; }
  const martlet_descriptor& at(int32_t index) const {
    return *reinterpret_cast<const martlet_descriptor*>(descriptors_ +
                                                        int64_t{index} * stride_bytes_);
  }
  std::string_view subject(const martlet_descriptor& d) const {
    return view(d.subject_offset, d.subject_bytes);
  }
  std::string_view reply(const martlet_descriptor& d) const {
    return view(d.reply_offset, d.reply_bytes);
  }
  std::string_view headers(const martlet_descriptor& d) const {
    return view(d.headers_offset, d.headers_bytes);
  }
  std::string_view data(const martlet_descriptor& d) const {
    return view(d.data_offset, d.data_bytes);
  }

 private:
  std::string_view view(int32_t offset, int32_t bytes) const {
    return bytes > 0 ? std::string_view(block_ + offset, static_cast<size_t>(bytes))
                     : std::string_view();
  }
  void read_shape() {
    count_ = 0;
    descriptors_ = block_ = nullptr;
    if (!batch_) return;
    martlet_batch_info info{};
    info.info_bytes = sizeof(info);
    if (martlet_batch_info_get(batch_, &info, nullptr) != MARTLET_OK) return;
    count_ = info.count;
    stride_bytes_ = info.stride_bytes;
    descriptors_ = reinterpret_cast<const char*>(martlet_batch_descriptors(batch_));
    block_ = static_cast<const char*>(martlet_batch_block(batch_, nullptr));
  }

  martlet_batch* batch_ = nullptr;
  const char* descriptors_ = nullptr;
  const char* block_ = nullptr;
  int32_t count_ = 0;
  int32_t stride_bytes_ = 0;
};

}  // namespace martlet::cpp
