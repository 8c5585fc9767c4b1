// SPDX-License-Identifier: Apache-2.0
//
// Owns the rule that threads of ours take no signals of the host: a thread made while a shield
// lives has all of them blocked, but those that tell of its own faults: these are for the host's
// crash handler. The mask of the thread that made the shield is restored at its end. It needs no
// memory. Threads are made by start_thread() (io/thread.hpp), which holds one.
#pragma once

namespace martlet::io {

class SignalShield {
 public:
  SignalShield();
  ~SignalShield();
  SignalShield(const SignalShield&) = delete;
  SignalShield& operator=(const SignalShield&) = delete;

 private:
  // The system's sigset_t; io/posix/signal_shield.cpp asserts that it fits.
  alignas(8) unsigned char before_[128];
};

}  // namespace martlet::io
