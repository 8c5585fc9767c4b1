// SPDX-License-Identifier: Apache-2.0
//
// Owns the signals of a program that is a server: they are taken by one thread that waits for them,
// never by a handler. For the program only: it changes the mask of the calling thread and of every
// thread made after it.
#pragma once

#include "io/process.hpp"

namespace martlet::io {

/// Made once, by the main thread, before any other thread. While it lives, the signals it waits for
/// and SIGPIPE do nothing by themselves; afterwards the mask is as before.
class SignalWaiter {
 public:
  SignalWaiter();
  ~SignalWaiter();
  SignalWaiter(const SignalWaiter&) = delete;
  SignalWaiter& operator=(const SignalWaiter&) = delete;

  /// Blocks until one comes: interrupt, terminate, user1, user2 or hangup.
  ProcessSignal wait();

 private:
  struct Mask;
  Mask* before_;
};

}  // namespace martlet::io
