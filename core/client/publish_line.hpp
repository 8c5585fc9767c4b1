// SPDX-License-Identifier: Apache-2.0
//
// Owns the line of a publish: which subjects may stand in it, how it is written, and the memory of
// the last one, which most often is the next one too.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/result.hpp"

namespace martlet::client {

struct PublishView;

/// Subject and reply, or subject and group, in one line. A server closes the connection over a line
/// above its limit, which is 4096 bytes unless configured and which it does not tell.
constexpr size_t line_subjects_bytes_max = 4000;
/// Room for a line beyond its subjects.
constexpr size_t line_numbers_bytes_max = 64;

/// Copies bytes to `to`. Answers where they end.
inline char* put(char* to, std::string_view bytes) {
  std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

/// Whether the subjects of a message may stand in its line; else why not.
Status check_subjects(const PublishView& message);

/// The line of a message, with its end, at `to`. Answers where the line ends.
char* put_publish_line(char* to, const PublishView& message);

/// A line that may be said again as it is: the same subject, the same size, neither reply nor
/// headers. Whoever repeats it need neither check the subject nor write numbers.
class LastPublishLine {
 public:
  bool is_of(const PublishView& message) const;
  /// `line` is what put_publish_line() wrote for `message`; too long a line is not kept.
  void keep(std::string_view line, const PublishView& message);
  /// Puts the line at `to`, where line_numbers_bytes_max are free beside the subject's. Answers
  /// where the line ends.
  char* put(char* to) const {
    static_assert(bytes_max <= line_numbers_bytes_max);
    // What stands behind the line is overwritten: a copy of a known size is a few instructions.
    std::memcpy(to, bytes_.data(), bytes_.size());
    return to + line_size_;
  }

 private:
  static constexpr size_t bytes_max = 64;
  std::array<char, bytes_max> bytes_{};
  uint8_t line_size_ = 0;  // 0: nothing is remembered.
  uint8_t subject_size_ = 0;
  size_t payload_size_ = 0;
};

}  // namespace martlet::client
