// SPDX-License-Identifier: Apache-2.0
//
// Owns the JSON of the greeting: what a server's INFO says that a client needs, and the CONNECT
// that answers it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "client/connection_options.hpp"

namespace martlet::client {

struct ServerInfo {
  std::string server_id;
  std::string server_name;
  std::string version;
  std::string client_ip;
  int64_t client_id = 0;
  int64_t max_payload = -1;  // Below 0: none was said.
  bool headers = false;
  bool auth_required = false;
  bool tls_required = false;
  bool lame_duck = false;
  std::vector<std::string> connect_urls;
};

/// Unknown fields are ignored. Fails with `protocol` for what is no JSON object or has a field of a
/// wrong type.
Result<ServerInfo> parse_server_info(std::string_view json_text);

/// The line "CONNECT {…}\r\n". Credentials come from the options, else from `url` (may be null).
std::string connect_line(const ConnectionOptions& options, const ServerUrl* url,
                         const ServerInfo& info);

/// What an -ERR is about.
ErrorCode code_of_server_error(std::string_view text);
/// Whether an -ERR says that a line of ours was longer than the server takes.
bool is_line_too_long(std::string_view text);

}  // namespace martlet::client
