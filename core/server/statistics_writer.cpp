// SPDX-License-Identifier: Apache-2.0
//
// Owns the order of the counters.
#include "server/statistics_writer.hpp"

namespace martlet::server {

void write_counts(JsonWriter& json, const Statistics& sum, CountsFor reader) {
  const bool page = reader == CountsFor::page;
  json.number("connections", sum.connections);
  json.number("total_connections", sum.total_connections);
  if (page) {
    for (const char* name : {"routes", "remotes", "leafnodes"}) json.number(name, 0);
  }
  json.number("in_msgs", sum.moved.in_msgs);
  json.number("in_bytes", sum.moved.in_bytes);
  if (page) {
    json.number("in_client_msgs", sum.moved.in_msgs);
    json.number("in_client_bytes", sum.moved.in_bytes);
  }
  json.number("out_msgs", sum.moved.out_msgs);
  json.number("out_bytes", sum.moved.out_bytes);
  if (page) {
    json.number("out_client_msgs", sum.moved.out_msgs);
    json.number("out_client_bytes", sum.moved.out_bytes);
  }
  json.number("slow_consumers", sum.moved.slow_consumers);
  json.number("stale_connections", sum.moved.stale_connections);
  json.number("stalled_clients", sum.moved.stalled_producers);
  json.number("subscriptions", sum.subscriptions);
}

void write_own_counts(JsonWriter& json, const Statistics& sum, int64_t memory_bytes_max) {
  json.number("remote_msgs", sum.moved.remote_msgs);
  json.number("accounted_bytes", sum.accounted_bytes);
  json.number("max_memory", memory_bytes_max);
}

}  // namespace martlet::server
