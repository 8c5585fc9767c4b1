// SPDX-License-Identifier: Apache-2.0
//
// Owns where a look at all connections of one loop has got to, so that it can be done in slices
// between the loop's other work. Every connection that is there at the begin is seen once: visited,
// or told of when it ends before its turn.
#pragma once

#include <cstddef>
#include <functional>

namespace martlet::net {

class Connection;

/// Belongs to one worker from begin_walk() to end_walk().
struct ConnectionWalk {
  /// Answers whether it is done with this connection; if not it is called again in the next slice.
  /// It may take more of `credit` than the one that each call costs, when it does more than glance.
  std::function<bool(Connection&, size_t& credit)> visit;
  /// A connection ends that visit() is not done with. May be empty.
  std::function<void(Connection&)> on_end;

  bool is_whole = true;        // False when on_end() found no memory for a connection.
  Connection* next = nullptr;  // The worker's: whom to visit next.
};

}  // namespace martlet::net
