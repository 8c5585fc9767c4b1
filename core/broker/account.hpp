// SPDX-License-Identifier: Apache-2.0
//
// Owns one account: a subject space of its own, with its limits. Nothing crosses from one account
// to another.
#pragma once

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
  RoutingTable& routing() { return routing_; }
  const RoutingTable& routing() const { return routing_; }

 private:
  const std::string name_;
  const uint32_t id_;
  const AccountLimits limits_;
  RoutingTable routing_;
};

}  // namespace martlet::broker
