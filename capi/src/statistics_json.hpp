// SPDX-License-Identifier: Apache-2.0
//
// Owns the JSON form of what a connection counts and knows.
#pragma once

#include <string>

#include "client/connection.hpp"

namespace martlet::capi {

std::string statistics_json(const client::ConnectionStatistics& counted,
                            const client::ServerDescription& server);

}  // namespace martlet::capi
