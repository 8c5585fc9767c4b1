// SPDX-License-Identifier: Apache-2.0
//
// Owns the way to a broker in the same process: what a server hands to clients instead of an
// address.
#pragma once

#include <memory>

#include "base/result.hpp"
#include "transport/byte_stream.hpp"

namespace martlet::link {

/// May be called from any thread, also after the server has stopped: then it fails with no_servers.
class Connector {
 public:
  virtual ~Connector() = default;
  /// The client's end of a new connection; the broker serves the other end as it serves a socket.
  virtual Result<std::unique_ptr<transport::ByteStream>> connect() = 0;
};

}  // namespace martlet::link
