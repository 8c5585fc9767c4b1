// SPDX-License-Identifier: Apache-2.0
//
// Goal: the size texts that end a MSG or HMSG line are right. Method: fixed sizes.
#include "broker/message.hpp"

#include <gtest/gtest.h>

#include <string>

namespace martlet::broker {
namespace {

TEST(SizeText, ends_a_line) {
  SizeText sizes;
  const std::string bytes(1048576, 'x');
  Message message;
  sizes.make(message);
  EXPECT_EQ(std::string_view(sizes.text, sizes.bytes), " 0\r\n");
  EXPECT_TRUE(sizes.fits(message));
  message.payload = bytes;
  EXPECT_FALSE(sizes.fits(message));
  sizes.make(message);
  EXPECT_EQ(std::string_view(sizes.text, sizes.bytes), " 1048576\r\n");
  message.has_headers = true;
  message.header_bytes = 576;
  message.size_zeros = 2;
  message.header_size_zeros = 1;
  EXPECT_FALSE(sizes.fits(message));
  sizes.make(message);
  EXPECT_EQ(std::string_view(sizes.text, sizes.bytes), " 0576 001048576\r\n");
  EXPECT_EQ(std::string_view(sizes.stripped, sizes.stripped_bytes), " 1048000\r\n");
}

}  // namespace
}  // namespace martlet::broker
