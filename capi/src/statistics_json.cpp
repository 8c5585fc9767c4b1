// SPDX-License-Identifier: Apache-2.0
//
// Owns the names in a connection's statistics: those of martlet/connection.h.
#include "statistics_json.hpp"

#include "base/json.hpp"

namespace martlet::capi {

std::string statistics_json(const client::ConnectionStatistics& counted,
                            const client::ServerDescription& server) {
  json::object object;
  object["in_msgs"] = counted.in_messages;
  object["out_msgs"] = counted.out_messages;
  object["in_bytes"] = counted.in_bytes;
  object["out_bytes"] = counted.out_bytes;
  object["reconnects"] = counted.reconnects;
  object["pending_bytes"] = counted.pending_bytes;
  object["subscriptions"] = counted.subscriptions;
  object["connected_url"] = server.url;
  object["server_id"] = server.server_id;
  object["server_name"] = server.server_name;
  object["server_version"] = server.version;
  object["client_id"] = server.client_id;
  object["client_ip"] = server.client_ip;
  object["max_payload"] = server.max_payload_bytes;
  object["headers"] = server.headers;
  return json::serialize(object);
}

}  // namespace martlet::capi
