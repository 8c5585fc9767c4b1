// SPDX-License-Identifier: Apache-2.0
//
// Owns what stands behind martlet_connection and martlet_subscription.
#pragma once

#include <memory>

#include "client/connection.hpp"
#include "handle.hpp"
#include "martlet/connection.h"
#include "martlet/subscription.h"

struct martlet_connection : martlet::capi::HandleHead {
  static constexpr uint32_t kind_mark = martlet::capi::mark_connection;
  static constexpr const char* kind_text = "not a live martlet_connection";

  martlet_connection(std::unique_ptr<martlet::client::Connection> made, bool lent)
      : HandleHead(kind_mark), connection(std::move(made)), is_lent(lent) {}

  std::unique_ptr<martlet::client::Connection> connection;
  bool is_lent;  // "run": "lent".
};

struct martlet_subscription : martlet::capi::HandleHead {
  static constexpr uint32_t kind_mark = martlet::capi::mark_subscription;
  static constexpr const char* kind_text = "not a live martlet_subscription";

  explicit martlet_subscription(std::unique_ptr<martlet::client::Subscription> made)
      : HandleHead(kind_mark), subscription(std::move(made)) {}

  std::unique_ptr<martlet::client::Subscription> subscription;
};
