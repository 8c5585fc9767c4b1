// SPDX-License-Identifier: Apache-2.0
//
// Owns /connz: the connections that are open and those remembered as closed, filtered, sorted, a
// part of them.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "server/connection_row.hpp"
#include "server/monitoring.hpp"
#include "server/monitoring_query.hpp"

namespace martlet::server {

enum class ConnectionState : uint8_t { open, closed, all };

struct ConnzQuery {
  std::string sort;  // Empty: by id.
  ConnectionStyle style;
  int64_t offset = 0;
  int64_t limit = 1024;
  uint64_t cid = 0;  // 0: all.
  ConnectionState state = ConnectionState::open;
  std::string user;
  std::string account;
};

/// Fails with the text of the refusal.
Result<ConnzQuery> read_connz_query(const MonitoringQuery& query);

/// Orders `rows` as `sort` asks; of equals the lower id first.
void sort_connections(std::vector<std::shared_ptr<const ConnectionRow>>& rows,
                      const std::string& sort, int64_t now_wall_ns);

MonitoringPage connz_page(const MonitoringSubject& subject, Run& run, const ConnzQuery& query);

}  // namespace martlet::server
