// SPDX-License-Identifier: Apache-2.0
//
// Goal: the size texts that end a MSG or HMSG line are right. Method: fixed sizes.
#include "broker/message.hpp"

#include <gtest/gtest.h>

namespace martlet::broker {
namespace {

TEST(SizeText, ends_a_line) {
  SizeText sizes;
  sizes.make(0, 0, false);
  EXPECT_EQ(std::string_view(sizes.text, sizes.bytes), " 0\r\n");
  EXPECT_TRUE(sizes.fits(0, 0, false));
  EXPECT_FALSE(sizes.fits(1, 0, false));
  sizes.make(1048576, 0, false);
  EXPECT_EQ(std::string_view(sizes.text, sizes.bytes), " 1048576\r\n");
  sizes.make(999999999, 123456789, true);
  EXPECT_EQ(std::string_view(sizes.text, sizes.bytes), " 123456789 999999999\r\n");
  EXPECT_EQ(std::string_view(sizes.stripped, sizes.stripped_bytes), " 876543210\r\n");
}

}  // namespace
}  // namespace martlet::broker
