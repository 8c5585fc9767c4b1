// SPDX-License-Identifier: Apache-2.0
//
// Owns the names of a server's counters in JSON, wherever they are shown: those of nats-server's
// /varz, and our own.
#pragma once

#include <cstdint>

#include "base/json_writer.hpp"
#include "server/server.hpp"

namespace martlet::server {

/// `page` has, between the others and in the places where nats-server has them, the counters of
/// what only it has (routes, leaf nodes) and those that tell clients from them.
enum class CountsFor : uint8_t { program, page };

/// Into an object that is open.
void write_counts(JsonWriter& json, const Statistics& sum, CountsFor reader);

/// Those that nats-server does not have. Into an object that is open.
void write_own_counts(JsonWriter& json, const Statistics& sum, int64_t memory_bytes_max);

}  // namespace martlet::server
