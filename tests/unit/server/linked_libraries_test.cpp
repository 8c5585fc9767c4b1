// SPDX-License-Identifier: Apache-2.0
//
// Goal: no folder's libraries are missing. Method: the names, each with some version.
#include "server/linked_libraries.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/json.hpp"

namespace martlet::server {
namespace {

TEST(LinkedLibrariesJson, has_them_all_with_versions) {
  const json::value value = json::parse(linked_libraries_json());
  std::set<std::string> names;
  for (const auto& [name, version] : value.as_object()) {
    EXPECT_FALSE(version.as_string().empty()) << std::string(name);
    names.insert(name);
  }
#ifdef _GLIBCXX_RELEASE
  const std::string runtime = "libstdc++";
#else
  const std::string runtime = "libc++";
#endif
  const std::set<std::string> expected = {"libevent", "OpenSSL",    "libxcrypt",
                                          "fmt",      "Boost.JSON", runtime};
  EXPECT_EQ(names, expected);
}

}  // namespace
}  // namespace martlet::server
