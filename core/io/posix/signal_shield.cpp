// SPDX-License-Identifier: Apache-2.0
//
// Owns the signal mask of a thread for a moment.
#include "io/signal_shield.hpp"

#include <signal.h>

#include <initializer_list>
#include <new>

namespace martlet::io {

SignalShield::SignalShield() {
  static_assert(sizeof(sigset_t) <= sizeof before_ && alignof(sigset_t) <= 8);
  sigset_t blocked;
  sigfillset(&blocked);
  // A fault that finds its signal blocked ends the process past the host's crash handler.
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT})
    sigdelset(&blocked, fault);
  pthread_sigmask(SIG_SETMASK, &blocked, new (before_) sigset_t);
}

SignalShield::~SignalShield() {
  pthread_sigmask(SIG_SETMASK, std::launder(reinterpret_cast<const sigset_t*>(before_)), nullptr);
}

}  // namespace martlet::io
