// SPDX-License-Identifier: Apache-2.0
//
// Owns the writing of INFO.
#include "protocol/server_info.hpp"

#include "base/json_writer.hpp"

namespace martlet::protocol {
std::string encode_info(const ServerInfo& info) {
  JsonWriter object(JsonWriter::Style::compact);
  object.open_object();
  object.text("server_id", info.server_id);
  object.text("server_name", info.server_name);
  object.text("version", nats_level);
  object.number("proto", 1);
  if (!info.git_commit.empty()) object.text("git_commit", info.git_commit);
  object.text("go", "");
  object.text("host", info.host);
  object.number("port", info.port);
  object.flag("headers", info.headers);
  if (info.auth_required) object.flag("auth_required", true);
  object.number("max_payload", info.max_payload);
  if (!info.ip.empty()) object.text("ip", info.ip);
  if (info.client_id != 0) object.number("client_id", info.client_id);
  if (!info.client_ip.empty()) object.text("client_ip", info.client_ip);
  if (!info.connect_urls.empty()) object.texts("connect_urls", info.connect_urls);
  if (info.connect_info) object.flag("connect_info", true);
  if (!info.remote_account.empty()) object.text("remote_account", info.remote_account);
  object.close_object();
  return "INFO " + object.take() + " \r\n";
}

}  // namespace martlet::protocol
