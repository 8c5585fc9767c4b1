// SPDX-License-Identifier: Apache-2.0
//
// Owns drawing the bar.
#include "program/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace martlet::program {
namespace {

constexpr int64_t draw_every_ns = 100 * ns_per_ms;
constexpr int bar_width = 30;

}  // namespace

std::string with_commas(int64_t number) {
  std::string text = std::to_string(number);
  const size_t first = text.starts_with('-') ? 1 : 0;
  for (size_t at = text.size(); at > first + 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

std::string readable_bytes(double bytes) {
  const char* const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  int unit = 0;
  for (; bytes >= 1024 && unit < 4; ++unit) bytes /= 1024;
  return fmt::format("{:.{}f} {}", bytes, unit == 0 ? 0 : 1, units[unit]);
}

Progress::Progress(const Clock& clock, std::string name, int64_t total, bool shows)
    : clock_(clock),
      name_(std::move(name)),
      total_(total),
      shows_(shows),
      start_ns_(clock.monotonic_ns()) {}

void Progress::show(int64_t done) {
  done_ = done;
  if (!shows_ || is_finished_) return;
  const int64_t now = clock_.monotonic_ns();
  if (now - drawn_ns_ < draw_every_ns) return;
  drawn_ns_ = now;
  draw();
}

void Progress::draw() {
  const std::string text = "\r" + line(done_, clock_.monotonic_ns() - start_ns_) + "\x1b[K";
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

void Progress::finish() {
  if (is_finished_) return;
  is_finished_ = true;
  if (!shows_) return;
  draw();
  std::fputc('\n', stderr);
}

std::string Progress::line(int64_t done, int64_t elapsed_ns) const {
  const double share =
      total_ > 0 ? std::min(1.0, static_cast<double>(done) / static_cast<double>(total_)) : 0;
  const int full = static_cast<int>(share * bar_width);
  const double seconds = std::max(1e-9, static_cast<double>(elapsed_ns) / 1e9);
  const double rate = static_cast<double>(done) / seconds;
  std::string text = fmt::format(
      "{} [{}{}] {:3.0f}% {}/{}  {}/s", name_, std::string(static_cast<size_t>(full), '#'),
      std::string(static_cast<size_t>(bar_width - full), '.'), share * 100, with_commas(done),
      with_commas(total_), with_commas(static_cast<int64_t>(rate)));
  if (done > 0 && done < total_)
    text += fmt::format("  {:.0f}s left", static_cast<double>(total_ - done) / rate);
  return text;
}

}  // namespace martlet::program
