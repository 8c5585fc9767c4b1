// SPDX-License-Identifier: Apache-2.0
//
// Goal: a counter has one name wherever it is shown, and each name shows its own counter. Method: a
// different number in each counter, whole texts.
#include "server/statistics_writer.hpp"

#include <gtest/gtest.h>

namespace martlet::server {
namespace {

Statistics numbered() {
  Statistics sum;
  sum.connections = 1;
  sum.total_connections = 2;
  sum.subscriptions = 3;
  sum.accounted_bytes = 4;
  sum.moved.in_msgs = 5;
  sum.moved.in_bytes = 6;
  sum.moved.out_msgs = 7;
  sum.moved.out_bytes = 8;
  sum.moved.slow_consumers = 9;
  sum.moved.stale_connections = 10;
  sum.moved.stalled_producers = 11;
  sum.moved.remote_msgs = 12;
  return sum;
}

std::string counts(CountsFor reader) {
  JsonWriter json(JsonWriter::Style::compact);
  json.open_object();
  write_counts(json, numbered(), reader);
  json.close_object();
  return json.take();
}

TEST(StatisticsWriter, a_program_gets_each_counter_once) {
  EXPECT_EQ(counts(CountsFor::program),
            R"({"connections":1,"total_connections":2,"in_msgs":5,"in_bytes":6,"out_msgs":7,)"
            R"("out_bytes":8,"slow_consumers":9,"stale_connections":10,"stalled_clients":11,)"
            R"("subscriptions":3})");
}

TEST(StatisticsWriter, a_page_has_the_order_of_nats_server) {
  EXPECT_EQ(counts(CountsFor::page),
            R"({"connections":1,"total_connections":2,"routes":0,"remotes":0,"leafnodes":0,)"
            R"("in_msgs":5,"in_bytes":6,"in_client_msgs":5,"in_client_bytes":6,)"
            R"("out_msgs":7,"out_bytes":8,"out_client_msgs":7,"out_client_bytes":8,)"
            R"("slow_consumers":9,"stale_connections":10,"stalled_clients":11,"subscriptions":3})");
}

TEST(StatisticsWriter, our_own_counters) {
  JsonWriter json(JsonWriter::Style::compact);
  json.open_object();
  write_own_counts(json, numbered(), 13);
  json.close_object();
  EXPECT_EQ(json.take(), R"({"remote_msgs":12,"accounted_bytes":4,"max_memory":13})");
}

}  // namespace
}  // namespace martlet::server
