// SPDX-License-Identifier: Apache-2.0
//
// Goal: a digest is SHA-256 as everybody computes it. Method: the examples of FIPS 180-4.
#include "server/sha256_digest.hpp"

#include <gtest/gtest.h>

namespace martlet::server {
namespace {

TEST(Sha256Digest, examples_of_the_standard) {
  EXPECT_EQ(sha256_digest("abc"),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_digest(""),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace martlet::server
