// SPDX-License-Identifier: Apache-2.0
//
// Owns SignalWaiter over sigwait.
#include "io/signal_waiter.hpp"

#include <pthread.h>
#include <signal.h>

#include "base/assert.hpp"

namespace martlet::io {
namespace {

sigset_t waited_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGHUP}) sigaddset(&set, number);
  return set;
}

}  // namespace

struct SignalWaiter::Mask {
  sigset_t set;
};

SignalWaiter::SignalWaiter() : before_(new Mask) {
  sigset_t blocked = waited_signals();
  sigaddset(&blocked, SIGPIPE);
  const int failed = pthread_sigmask(SIG_BLOCK, &blocked, &before_->set);
  MARTLET_ASSERT(failed == 0);
}

SignalWaiter::~SignalWaiter() {
  pthread_sigmask(SIG_SETMASK, &before_->set, nullptr);
  delete before_;
}

ProcessSignal SignalWaiter::wait() {
  const sigset_t set = waited_signals();
  int number = 0;
  const int failed = sigwait(&set, &number);
  MARTLET_ASSERT(failed == 0);
  switch (number) {
    case SIGINT:
      return ProcessSignal::interrupt;
    case SIGUSR1:
      return ProcessSignal::user1;
    case SIGUSR2:
      return ProcessSignal::user2;
    case SIGHUP:
      return ProcessSignal::hangup;
    default:
      return ProcessSignal::terminate;
  }
}

}  // namespace martlet::io
