// SPDX-License-Identifier: Apache-2.0
//
// Owns a descriptor that becomes readable when somebody signals it, and stays so until it is
// cleared. For waking a host's event loop, and for the in-process link. Signals do not add up.
// Every function may be called from any thread.
#pragma once

#include "base/result.hpp"
#include "io/socket.hpp"

namespace martlet::io {

class WakeDescriptor {
 public:
  /// Fails with io when the system has no descriptor left.
  static Result<WakeDescriptor> create();

  void signal() const;
  void clear() const;
  int descriptor() const { return fd_.get(); }

 private:
  explicit WakeDescriptor(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace martlet::io
