// SPDX-License-Identifier: Apache-2.0
//
// Goal: who has the secret comes in, nobody else. Method: plain and bcrypt secrets, right and
// wrong.
#include "auth/authenticator.hpp"

#include <crypt.h>
#include <gtest/gtest.h>

namespace martlet::auth {
namespace {

std::string bcrypt_of(const std::string& secret) {
  crypt_data data{};
  return crypt_r(secret.c_str(), "$2a$04$abcdefghijklmnopqrstuu", &data);
}

TEST(Authenticator, lets_everybody_in_when_nothing_is_demanded) {
  Authenticator open{AuthOptions{}};
  EXPECT_FALSE(open.is_required());
  EXPECT_NE(open.check({}), nullptr);
}

TEST(Authenticator, compares_user_and_password) {
  AuthOptions options;
  options.user = "u";
  options.password = "p";
  Authenticator authenticator(options);
  EXPECT_FALSE(authenticator.is_slow());
  EXPECT_NE(authenticator.check({"u", "p", ""}), nullptr);
  EXPECT_EQ(authenticator.check({"u", "p", ""})->user, "u");
  EXPECT_EQ(authenticator.check({"u", "P", ""}), nullptr);
  EXPECT_EQ(authenticator.check({"x", "p", ""}), nullptr);
  EXPECT_EQ(authenticator.check({"", "", "p"}), nullptr);
}

TEST(Authenticator, knows_bcrypt) {
  AuthOptions options;
  options.token = bcrypt_of("secret");
  ASSERT_TRUE(is_bcrypt(options.token)) << options.token;
  Authenticator authenticator(options);
  EXPECT_TRUE(authenticator.is_slow());
  EXPECT_NE(authenticator.check({"", "", "secret"}), nullptr);
  EXPECT_EQ(authenticator.check({"", "", "Secret"}), nullptr);
  EXPECT_EQ(authenticator.check({"", "", options.token}), nullptr);
  EXPECT_EQ(authenticator.check({"", "", std::string(100, 'a')}), nullptr);
  EXPECT_FALSE(is_bcrypt("$2a$"));
  EXPECT_FALSE(is_bcrypt("plain"));
}

}  // namespace
}  // namespace martlet::auth
