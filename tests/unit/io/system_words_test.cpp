// SPDX-License-Identifier: Apache-2.0
//
// Goal: the words are those that Go prints. Method: two of them.
#include "io/system_words.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace martlet::io {
namespace {

TEST(SystemWords, without_a_capital) {
  EXPECT_EQ(system_words(ENOENT), "no such file or directory");
  EXPECT_EQ(system_words(EACCES), "permission denied");
}

}  // namespace
}  // namespace martlet::io
