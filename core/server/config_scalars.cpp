// SPDX-License-Identifier: Apache-2.0
//
// Owns the suffixes, and the calendar that datetimes are checked against.
#include "server/config_scalars.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace martlet::server {
namespace {

std::optional<int64_t> suffix_factor(std::string_view suffix) {
  if (suffix.empty()) return 1;
  const size_t power = std::string_view("kmgtpe").find(suffix[0]);
  if (power == std::string_view::npos) return std::nullopt;
  const std::string_view rest = suffix.substr(1);
  if (!rest.empty() && rest != "b" && rest != "i" && rest != "ib") return std::nullopt;
  int64_t factor = 1;
  for (size_t i = 0; i <= power; ++i) factor *= rest.empty() ? 1000 : 1024;
  return factor;
}

bool is_leap_year(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

}  // namespace

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& letter : lower) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter + 32);
  }
  return lower;
}

Result<int64_t> parse_config_integer(const std::string& text) {
  size_t digits_end = text.starts_with('-') ? 1 : 0;
  while (digits_end < text.size() && text[digits_end] >= '0' && text[digits_end] <= '9') {
    ++digits_end;
  }
  int64_t number = 0;
  const std::from_chars_result read =
      std::from_chars(text.data(), text.data() + digits_end, number);
  const std::optional<int64_t> factor =
      suffix_factor(lower_case(std::string_view(text).substr(digits_end)));
  // nats-server drops such a pair (`1kbb`) without a word, and lets a product that is too large
  // wrap around.
  if (!factor || read.ec == std::errc::invalid_argument) {
    return {ErrorCode::invalid_argument, fmt::format("expected integer, but got '{}'", text)};
  }
  int64_t product = 0;
  if (read.ec != std::errc() || __builtin_mul_overflow(number, *factor, &product)) {
    return {ErrorCode::invalid_argument, fmt::format("integer '{}' is out of the range", text)};
  }
  return product;
}

Result<double> parse_config_float(const std::string& text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const std::from_chars_result read = std::from_chars(text.data(), end, number);
  if (read.ec == std::errc::result_out_of_range) {
    return {ErrorCode::invalid_argument, fmt::format("float '{}' is out of the range", text)};
  }
  if (read.ec != std::errc() || read.ptr != end) {
    return {ErrorCode::invalid_argument, fmt::format("expected float, but got '{}'", text)};
  }
  return number;
}

bool is_true_word(std::string_view text) {
  const std::string word = lower_case(text);
  return word == "true" || word == "yes" || word == "on";
}

bool is_moment(std::string_view text) {
  const auto field = [text](size_t begin, size_t digits) {
    int value = 0;
    for (size_t i = begin; i < begin + digits; ++i) value = value * 10 + (text[i] - '0');
    return value;
  };
  const int month = field(5, 2);
  if (month < 1 || month > 12) return false;
  constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const int day_max = days[month - 1] + (month == 2 && is_leap_year(field(0, 4)) ? 1 : 0);
  const int day = field(8, 2);
  return day >= 1 && day <= day_max && field(11, 2) < 24 && field(14, 2) < 60 && field(17, 2) < 60;
}

}  // namespace martlet::server
