// SPDX-License-Identifier: Apache-2.0
//
// Owns the bar that long work shows on a terminal: how far, how fast, how long still. Elsewhere it
// is silent. One thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"

namespace martlet::program {

class Progress {
 public:
  /// `shows`: whether standard error is a terminal, and the person wants it.
  Progress(const Clock& clock, std::string name, int64_t total, bool shows);
  ~Progress() { finish(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Cheap: draws at most ten times a second.
  void show(int64_t done);
  /// Draws the end and goes to the next line.
  void finish();
  /// The line for `done`, without moving the cursor.
  std::string line(int64_t done, int64_t elapsed_ns) const;

 private:
  void draw();
  const Clock& clock_;
  const std::string name_;
  const int64_t total_;
  const bool shows_;
  const int64_t start_ns_;
  int64_t done_ = 0;
  int64_t drawn_ns_ = 0;
  bool is_finished_ = false;
};

/// "1,234,567".
std::string with_commas(int64_t number);
/// "12.3 MiB".
std::string readable_bytes(double bytes);

}  // namespace martlet::program
