// SPDX-License-Identifier: Apache-2.0
//
// Owns the text form of a server's identity: 'N', then base32 of a public key with its checksum, as
// NATS writes it.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace martlet::auth {

/// The 56 characters for the 32 bytes of a key. No private half exists for random bytes: it is a
/// name, not a credential.
std::string encode_server_id(const std::array<uint8_t, 32>& key);

}  // namespace martlet::auth
