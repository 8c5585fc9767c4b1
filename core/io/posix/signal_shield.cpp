// SPDX-License-Identifier: Apache-2.0
//
// Owns the signal mask of a thread for a moment.
#include "io/signal_shield.hpp"

#include <signal.h>

namespace martlet::io {

struct SignalShield::Mask {
  sigset_t set;
};

SignalShield::SignalShield() : before_(new Mask) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before_->set);
}

SignalShield::~SignalShield() {
  pthread_sigmask(SIG_SETMASK, &before_->set, nullptr);
  delete before_;
}

}  // namespace martlet::io
