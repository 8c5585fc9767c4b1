// SPDX-License-Identifier: Apache-2.0
//
// Goal: a server that listens everywhere can name where. Method: every machine has at least one
// address.
#include "io/interfaces.hpp"

#include <gtest/gtest.h>

namespace martlet::io {
namespace {

TEST(Interfaces, never_empty_and_numeric) {
  const std::vector<std::string> four = interface_addresses(AddressFamily::four);
  ASSERT_FALSE(four.empty());
  for (const std::string& address : four)
    EXPECT_EQ(address.find_first_not_of("0123456789."), std::string::npos) << address;
  EXPECT_GE(interface_addresses(AddressFamily::both).size(), four.size());
}

}  // namespace
}  // namespace martlet::io
