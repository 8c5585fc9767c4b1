// SPDX-License-Identifier: Apache-2.0
//
// Goal: a server's id looks and checks as an nkey does. Method: the encoding of known bytes, taken
// from a real server id.
#include "auth/server_id.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace martlet::auth {
namespace {

std::array<uint8_t, 32> decode_key(const std::string& id) {
  std::array<uint8_t, 35> raw{};
  uint32_t bits = 0;
  int count = 0;
  size_t at = 0;
  for (const char c : id) {
    const uint32_t value =
        c >= 'A' ? static_cast<uint32_t>(c - 'A') : static_cast<uint32_t>(c - '2' + 26);
    bits = bits << 5 | value;
    count += 5;
    if (count >= 8) {
      count -= 8;
      raw[at++] = static_cast<uint8_t>(bits >> count);
    }
  }
  std::array<uint8_t, 32> key{};
  std::copy(raw.begin() + 1, raw.begin() + 33, key.begin());
  return key;
}

TEST(ServerId, is_encoded_as_nats_does) {
  const std::string known =
      "NADL3FSH2VWRK7DLMY3ZDN2AFAKVIK7X6JA2HACFMSBT5IJZ24MGSN3U";  // From nats-server 2.15.2.
  EXPECT_EQ(encode_server_id(decode_key(known)), known);
}

}  // namespace
}  // namespace martlet::auth
