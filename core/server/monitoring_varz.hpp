// SPDX-License-Identifier: Apache-2.0
//
// Owns /varz: what the server is, how it is set up, and what it has done so far.
#pragma once

#include <map>
#include <string>

#include "server/monitoring.hpp"

namespace martlet::server {

std::string varz_json(const MonitoringSubject& subject, const Run& run, const Statistics& sum,
                      double cpu_percent, const std::map<std::string, uint64_t>& request_counts);

}  // namespace martlet::server
