// SPDX-License-Identifier: Apache-2.0
//
// Goal: names have 22 characters of base 62, and none comes twice.
#include "client/nuid.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <unordered_set>

namespace martlet::client {
namespace {

TEST(Nuid, NamesAreUniqueAndWellFormed) {
  std::unordered_set<std::string> names;
  Nuid one;
  Nuid other;
  for (int i = 0; i < 20000; ++i) {
    for (Nuid* nuid : {&one, &other}) {
      const std::string name = nuid->next();
      ASSERT_EQ(name.size(), Nuid::length);
      for (const char c : name) ASSERT_TRUE(std::isalnum(static_cast<unsigned char>(c)));
      ASSERT_TRUE(names.insert(name).second);
    }
  }
}

}  // namespace
}  // namespace martlet::client
