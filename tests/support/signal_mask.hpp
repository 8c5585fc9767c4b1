// SPDX-License-Identifier: Apache-2.0
//
// Owns a look at the calling thread's signal mask, for the tests of those who change one.
#pragma once

#include <pthread.h>
#include <signal.h>

namespace martlet::test {

inline bool is_blocked(int signal) {
  sigset_t now;
  pthread_sigmask(SIG_SETMASK, nullptr, &now);
  return sigismember(&now, signal) == 1;
}

}  // namespace martlet::test
