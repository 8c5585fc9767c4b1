// SPDX-License-Identifier: Apache-2.0
//
// Owns /subsz (also called /subscriptionsz): how many subscriptions there are and how they are
// found, and a list of them.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "server/monitoring.hpp"
#include "server/monitoring_query.hpp"

namespace martlet::server {

struct SubszQuery {
  bool with_list = false;
  int64_t offset = 0;
  int64_t limit = 1024;
  std::string test;     // Not empty: only subscriptions that this subject reaches.
  std::string account;  // Not empty: only this one.
};

/// Fails with the text of the refusal.
Result<SubszQuery> read_subsz_query(const MonitoringQuery& query);

MonitoringPage subsz_page(const MonitoringSubject& subject, Run& run, const SubszQuery& query);

}  // namespace martlet::server
