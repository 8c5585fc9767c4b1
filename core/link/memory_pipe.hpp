// SPDX-License-Identifier: Apache-2.0
//
// Owns the byte stream inside a process: two bounded rings, one for each direction, and one wake-up
// descriptor for each end. A client and a broker speak the wire's protocol through it, so one
// session code serves both. A publish costs two thread hops to the callback: the publisher wakes
// the broker's loop, the loop wakes who waits on the receiver's end.
#pragma once

#include <memory>
#include <utility>

#include "base/result.hpp"
#include "transport/byte_stream.hpp"

namespace martlet::link {

struct PipeOptions {
  size_t ring_bytes =
      256 *
      1024;  // Of each direction; rounded up to a power of two. Touched only as far as it is used.
};

/// Two connected ends. Each end belongs to one thread at a time, except that write() may run beside
/// read(). An end is destroyed by its owner at any moment, whatever the other end does: the other
/// reads what is left and then the close. A sleeping end is woken once when there is something to
/// read, or once half of the ring is free after a full one; an end that is awake or spinning is not
/// woken.
using PipeEnds =
    std::pair<std::unique_ptr<transport::ByteStream>, std::unique_ptr<transport::ByteStream>>;

/// Fails with out_of_memory, or io when the system has no descriptor left.
Result<PipeEnds> make_memory_pipe(const PipeOptions& options = {});

}  // namespace martlet::link
