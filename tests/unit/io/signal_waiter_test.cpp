// SPDX-License-Identifier: Apache-2.0
//
// Goal: signals arrive where they are waited for, and the mask is as before afterwards. Method:
// signals to this process.
#include "io/signal_waiter.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "tests/support/signal_mask.hpp"

namespace martlet::io {
namespace {

using test::is_blocked;

TEST(SignalWaiter, waits_for_each_and_restores_the_mask) {
  ASSERT_FALSE(is_blocked(SIGTERM));
  {
    SignalWaiter waiter;
    EXPECT_TRUE(is_blocked(SIGTERM));
    EXPECT_TRUE(is_blocked(SIGPIPE));
    const std::pair<int, ProcessSignal> cases[] = {{SIGINT, ProcessSignal::interrupt},
                                                   {SIGTERM, ProcessSignal::terminate},
                                                   {SIGUSR1, ProcessSignal::user1},
                                                   {SIGUSR2, ProcessSignal::user2},
                                                   {SIGHUP, ProcessSignal::hangup}};
    for (const auto& [number, signal] : cases) {
      ASSERT_EQ(pthread_kill(pthread_self(), number), 0);
      EXPECT_EQ(waiter.wait(), signal) << number;
    }
  }
  EXPECT_FALSE(is_blocked(SIGTERM));
  EXPECT_FALSE(is_blocked(SIGPIPE));
}

}  // namespace
}  // namespace martlet::io
