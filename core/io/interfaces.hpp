// SPDX-License-Identifier: Apache-2.0
//
// Owns the question which addresses this machine has: what a server that listens everywhere can be
// reached by.
#pragma once

#include <string>
#include <vector>

namespace martlet::io {

enum class AddressFamily { four, both };

/// Numeric addresses of the interfaces that are up, in the system's order, the loopback one
/// included. IPv6 ones come without their zone. Never empty: at least "127.0.0.1".
std::vector<std::string> interface_addresses(AddressFamily family);

}  // namespace martlet::io
