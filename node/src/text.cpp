// SPDX-License-Identifier: Apache-2.0
//
// The engine writes U+FFFD for half a pair. A program may mean that character itself, so where it
// is, the string decides.
#include "text.hpp"

#include <string>

namespace martlet::node {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

bool is_high(char16_t unit) { return unit >= 0xd800 && unit <= 0xdbff; }
bool is_low(char16_t unit) { return unit >= 0xdc00 && unit <= 0xdfff; }

bool has_half_pair(std::u16string_view units) {
  for (size_t at = 0; at < units.size(); ++at) {
    if (is_low(units[at])) return true;
    if (!is_high(units[at])) continue;
    if (at + 1 == units.size() || !is_low(units[++at])) return true;
  }
  return false;
}

}  // namespace

bool has_half_pair(napi_env env, napi_value value, std::string_view text) {
  if (text.find(replacement) == std::string_view::npos) return false;
  size_t length = 0;
  if (napi_get_value_string_utf16(env, value, nullptr, 0, &length) != napi_ok) return false;
  std::u16string units(length, u'\0');
  napi_get_value_string_utf16(env, value, units.data(), length + 1, &length);
  return has_half_pair(std::u16string_view(units));
}

}  // namespace martlet::node
