// SPDX-License-Identifier: Apache-2.0
//
// Owns the signal mask of a thread for a moment.
#include "io/signal_shield.hpp"

#include <signal.h>

#include <new>

namespace martlet::io {

SignalShield::SignalShield() {
  static_assert(sizeof(sigset_t) <= sizeof before_ && alignof(sigset_t) <= 8);
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, new (before_) sigset_t);
}

SignalShield::~SignalShield() {
  pthread_sigmask(SIG_SETMASK, std::launder(reinterpret_cast<const sigset_t*>(before_)), nullptr);
}

}  // namespace martlet::io
