// SPDX-License-Identifier: Apache-2.0
//
// Owns the function of JavaScript that publishes over one connection. It is the one call that is
// made millions of times: it carries what it needs with itself, because to find what stands behind
// `this` is dearer than the publish.
#pragma once

#include <node_api.h>

#include <memory>
#include <string>

#include "martlet/cpp/connection.hpp"

namespace martlet::node {

class Lead;

/// What the function carries. Thread: the environment's. Shared by the function and the binding,
/// either of which may be collected first.
struct Outlet : std::enable_shared_from_this<Outlet> {
  cpp::Connection* connection = nullptr;  // Null: it is over.
  Lead* lead = nullptr;                   // Null: a thread of the connection's own writes.
  int64_t led = 0;                        // What the lead knows the connection by.
  bool is_noted = false;                  // By the lead.
  std::string subject;                    // Of the last message that was taken.
};

/// The function (data, subject, reply, headers) -> OK or AGAIN. Without more than `data` the
/// message has the subject of the one before: most have, and it need not be read again. Null with
/// an exception pending when there is no memory.
napi_value make_publish(napi_env env, std::shared_ptr<Outlet> outlet);

}  // namespace martlet::node
