// SPDX-License-Identifier: Apache-2.0
//
// Goal: OpenSSL is named with the version that its header has, for both come from one package, and
// libxcrypt with one that can be one.
#include "auth/linked_libraries.hpp"

#include <gtest/gtest.h>
#include <openssl/opensslv.h>

#include <string>

namespace martlet::auth {
namespace {

TEST(AuthLinkedLibraries, openssl_and_libxcrypt) {
  const auto libraries = linked_libraries();
  EXPECT_STREQ(libraries[0].name, "OpenSSL");
  EXPECT_STREQ(libraries[0].version, OPENSSL_VERSION_STR);
  EXPECT_STREQ(libraries[1].name, "libxcrypt");
  EXPECT_GE(std::stoi(libraries[1].version), 4) << libraries[1].version;
}

}  // namespace
}  // namespace martlet::auth
