// SPDX-License-Identifier: Apache-2.0
//
// Owns the questions to OpenSSL and libxcrypt. The latter does not tell its version when it runs:
// that of its header stands for it.
#include "auth/linked_libraries.hpp"

#include <crypt.h>
#include <openssl/crypto.h>

namespace martlet::auth {

std::array<LinkedLibrary, 2> linked_libraries() {
  return {
      {{"OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING)}, {"libxcrypt", XCRYPT_VERSION_STR}}};
}

}  // namespace martlet::auth
