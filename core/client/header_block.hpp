// SPDX-License-Identifier: Apache-2.0
//
// Owns the text form of message headers, as on the wire: "NATS/1.0", an optional status, lines
// "Key: value", an empty line. Builds, checks and reads blocks. Keys are compared byte by byte; a
// key may come more than once.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace martlet::client {

/// Builds a block line by line.
class HeaderBlockBuilder {
 public:
  /// Fails with invalid_argument: an empty key, a key with a colon, blank or control byte, a value
  /// with a line break.
  Status add(std::string_view key, std::string_view value);
  /// The whole block with its end; empty when nothing was added.
  std::string text() const;

 private:
  std::string lines_;
};

/// Whether a block may be published. Fails with invalid_argument, saying what is wrong.
Status check_header_block(std::string_view block);

/// The number in the status line (503 …), 0 if there is none.
int32_t header_status(std::string_view block);
/// What stands behind the number in the status line.
std::string_view header_description(std::string_view block);
/// The first value of a key; false if it is absent.
bool find_header(std::string_view block, std::string_view key, std::string_view* out_value);
/// Each line in its order.
void for_each_header(std::string_view block,
                     const std::function<void(std::string_view key, std::string_view value)>& take);

}  // namespace martlet::client
