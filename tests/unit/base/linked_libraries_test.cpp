// SPDX-License-Identifier: Apache-2.0
//
// Goal: the versions read as people write them. Method: the libraries' own texts, where they have
// one.
#include "base/linked_libraries.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/version.hpp>
#include <string>

namespace martlet {
namespace {

std::string version_of(const std::string& name) {
  for (const LinkedLibrary& library : linked_libraries()) {
    if (name == library.name) return library.version;
  }
  return "";
}

TEST(LinkedLibraries, boost_is_what_its_other_text_says) {
  std::string expected = BOOST_LIB_VERSION;  // 1_81, or 1_81_1
  std::replace(expected.begin(), expected.end(), '_', '.');
  if (std::count(expected.begin(), expected.end(), '.') == 1) expected += ".0";
  EXPECT_EQ(version_of("Boost.JSON"), expected);
}

TEST(LinkedLibraries, fmt_has_three_numbers) {
  const std::string version = version_of("fmt");
  EXPECT_EQ(std::count(version.begin(), version.end(), '.'), 2) << version;
  EXPECT_GE(std::stoi(version), 9) << version;
}

TEST(LinkedLibraries, the_runtime_is_the_compilers) {
#ifdef _GLIBCXX_RELEASE
  EXPECT_EQ(version_of("libstdc++"), std::to_string(_GLIBCXX_RELEASE));
#else
  EXPECT_NE(version_of("libc++"), "");
#endif
}

}  // namespace
}  // namespace martlet
