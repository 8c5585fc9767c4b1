// SPDX-License-Identifier: Apache-2.0
//
// Owns the INFO line of a server.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace martlet::protocol {

/// The NATS level that is served. Official clients switch features on by it.
inline constexpr const char* nats_level = "2.15.2";

struct ServerInfo {
  std::string server_id;
  std::string server_name;
  std::string git_commit;
  std::string host;
  int64_t port = 0;
  bool headers = true;
  bool auth_required = false;
  int64_t max_payload = 1048576;
  std::string ip;
  uint64_t client_id = 0;
  std::string client_ip;
  std::vector<std::string> connect_urls;
  bool connect_info = false;   // This is the answer to the first PING.
  std::string remote_account;  // With connect_info.
};

/// "INFO {…} \r\n", the fields in the order of nats-server.
std::string encode_info(const ServerInfo& info);

}  // namespace martlet::protocol
