// SPDX-License-Identifier: Apache-2.0
//
// Owns what a client says of itself in CONNECT, read from its JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace martlet::protocol {

struct ConnectOptions {
  bool verbose = true;
  bool pedantic = true;
  bool echo = true;
  bool tls_required = false;
  bool headers = false;
  bool no_responders = false;
  bool has_account = false;  // "account" or "new_account": always refused.
  int64_t protocol = 0;
  std::string user;
  std::string password;
  std::string token;
  std::string nkey;
  std::string signature;
  std::string name;
  std::string language;
  std::string version;
};

/// Reads over `options`: what the text does not name keeps its value. Keys match in any case;
/// unknown keys are ignored and never kept. Fails with protocol for what is not one JSON object, is
/// nested deeper than 10,000, or has a known key of a wrong type, also where it is given again.
Status read_connect(std::string_view text, ConnectOptions& options);

/// Whether `text` could be an INFO: one JSON object whose known keys have the right types.
bool is_info(std::string_view text);

}  // namespace martlet::protocol
