// SPDX-License-Identifier: Apache-2.0
//
// Goal: a thread made under a shield has signals blocked but those of its own faults, its maker has
// its own mask back.
#include "io/signal_shield.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <thread>

#include "tests/support/signal_mask.hpp"

namespace martlet::io {
namespace {

using test::is_blocked;

TEST(SignalShield, covers_threads_made_under_it) {
  bool in_thread = false;
  bool hears_faults = false;
  std::thread thread;
  {
    const SignalShield shield;
    thread = std::thread([&] {
      in_thread = is_blocked(SIGINT) && is_blocked(SIGUSR1);
      hears_faults = !is_blocked(SIGSEGV) && !is_blocked(SIGABRT) && !is_blocked(SIGFPE);
    });
  }
  thread.join();
  EXPECT_TRUE(in_thread);
  EXPECT_TRUE(hears_faults) << "the host's crash handler would not be called";
  EXPECT_FALSE(is_blocked(SIGINT));
}

}  // namespace
}  // namespace martlet::io
