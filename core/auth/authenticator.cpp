// SPDX-License-Identifier: Apache-2.0
//
// Owns the comparison of secrets.
#include "auth/authenticator.hpp"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <cstring>

namespace martlet::auth {
namespace {

// Equal time for any two texts: their digests are compared, which have one length.
bool equal_in_constant_time(const std::string& a, const std::string& b) {
  unsigned char digest_a[SHA256_DIGEST_LENGTH];
  unsigned char digest_b[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(a.data()), a.size(), digest_a);
  SHA256(reinterpret_cast<const unsigned char*>(b.data()), b.size(), digest_b);
  return CRYPTO_memcmp(digest_a, digest_b, sizeof digest_a) == 0;
}

std::shared_ptr<const Principal> make_principal(const AuthOptions& options) {
  auto principal = std::make_shared<Principal>();
  principal->user = options.user;
  return principal;
}

}  // namespace

bool is_bcrypt(std::string_view text) {
  return text.size() > 7 && text.substr(0, 2) == "$2" && std::strchr("abxy", text[2]) != nullptr &&
         text[3] == '$' && text[4] >= '0' && text[4] <= '9' && text[5] >= '0' && text[5] <= '9' &&
         text[6] == '$';
}

bool secret_matches(const std::string& expected, const std::string& given) {
  if (!is_bcrypt(expected)) return equal_in_constant_time(expected, given);
  if (given.size() > 72 || given.find('\0') != std::string::npos) return false;
  crypt_data data;
  std::memset(&data, 0, sizeof data);
  const char* hashed = crypt_r(given.c_str(), expected.c_str(), &data);
  return hashed != nullptr && hashed[0] != '*' && equal_in_constant_time(expected, hashed);
}

Authenticator::Authenticator(AuthOptions options)
    : options_(std::move(options)),
      principal_(make_principal(options_)),
      is_slow_(is_bcrypt(options_.password) || is_bcrypt(options_.token)) {}

Authenticator::Authenticator(std::shared_ptr<const Principal> principal)
    : options_(), principal_(std::move(principal)), is_slow_(false) {}

std::shared_ptr<const Principal> Authenticator::check(const Credentials& credentials) const {
  if (!is_required()) return principal_;
  if (!options_.token.empty()) {
    return secret_matches(options_.token, credentials.token) ? principal_ : nullptr;
  }
  const bool user_matches = equal_in_constant_time(options_.user, credentials.user);
  const bool password_matches = secret_matches(options_.password, credentials.password);
  return user_matches && password_matches ? principal_ : nullptr;
}

}  // namespace martlet::auth
