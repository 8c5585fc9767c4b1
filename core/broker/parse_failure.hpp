// SPDX-License-Identifier: Apache-2.0
//
// Owns what the log says of bytes that are no operation. What the client is told of them is the
// session's matter.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/parser.hpp"

namespace martlet::broker {

/// A sentence without an end. `operation` is what Parser::next() left, `bytes` are those that it
/// looked at, `payload_bytes_max` is the limit it enforced.
std::string parse_failure_text(protocol::ParseResult result, const protocol::Operation& operation,
                               std::string_view bytes, int64_t payload_bytes_max);

}  // namespace martlet::broker
