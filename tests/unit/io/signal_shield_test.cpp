// SPDX-License-Identifier: Apache-2.0
//
// Goal: a thread made under a shield has signals blocked, its maker has its own mask back.
#include "io/signal_shield.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <thread>

namespace martlet::io {
namespace {

bool is_blocked(int signal) {
  sigset_t now;
  pthread_sigmask(SIG_SETMASK, nullptr, &now);
  return sigismember(&now, signal) == 1;
}

TEST(SignalShield, CoversThreadsMadeUnderIt) {
  bool in_thread = false;
  std::thread thread;
  {
    const SignalShield shield;
    thread = std::thread([&] { in_thread = is_blocked(SIGINT) && is_blocked(SIGUSR1); });
  }
  thread.join();
  EXPECT_TRUE(in_thread);
  EXPECT_FALSE(is_blocked(SIGINT));
}

}  // namespace
}  // namespace martlet::io
