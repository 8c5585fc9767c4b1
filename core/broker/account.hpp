// SPDX-License-Identifier: Apache-2.0
//
// Owns one account: a subject space of its own, with its limits and the count of its connections.
// Nothing crosses from one account to another. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "broker/routing_table.hpp"

namespace martlet::broker {

/// -1: no limit.
struct AccountLimits {
  int64_t connections_max = -1;
  int64_t subscriptions_max = -1;
  int64_t payload_bytes_max = -1;
};

class Account {
 public:
  Account(std::string name, uint32_t id, uint64_t seed, const AccountLimits& limits)
      : name_(std::move(name)), id_(id), limits_(limits), routing_(seed) {}

  const std::string& name() const { return name_; }
  uint32_t id() const { return id_; }
  const AccountLimits& limits() const { return limits_; }
  /// One connection more; false when there is no room for it.
  bool join() {
    const int64_t count = connection_count_.fetch_add(1, std::memory_order_relaxed) + 1;
    if (limits_.connections_max < 0 || count <= limits_.connections_max) return true;
    leave();
    return false;
  }
  /// One that has joined is gone.
  void leave() { connection_count_.fetch_sub(1, std::memory_order_relaxed); }
  RoutingTable& routing() { return routing_; }
  const RoutingTable& routing() const { return routing_; }

 private:
  const std::string name_;
  const uint32_t id_;
  const AccountLimits limits_;
  std::atomic<int64_t> connection_count_{0};
  RoutingTable routing_;
};

}  // namespace martlet::broker
