// SPDX-License-Identifier: Apache-2.0
//
// Goal: a thread of ours has all signals blocked and its maker none more than before; one that
// cannot be had is an error. Method: a default size of stacks that no address space holds, so that
// the system refuses; memory that fails.
#include "io/thread.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include "tests/support/failing_allocations.hpp"
#include "tests/support/signal_mask.hpp"

namespace martlet::io {
namespace {

using test::is_blocked;

bool all_are_blocked() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD, SIGALRM, SIGPIPE})
    if (!is_blocked(signal)) return false;
  return true;
}

/// While it lives, the system has no room for a thread.
class NoThreadLeft {
 public:
  NoThreadLeft() {
    pthread_attr_t impossible;
    EXPECT_EQ(pthread_getattr_default_np(&before_), 0);
    EXPECT_EQ(pthread_attr_init(&impossible), 0);
    EXPECT_EQ(pthread_attr_setstacksize(&impossible, size_t{1} << 60), 0);
    EXPECT_EQ(pthread_setattr_default_np(&impossible), 0);
    pthread_attr_destroy(&impossible);
  }
  ~NoThreadLeft() {
    EXPECT_EQ(pthread_setattr_default_np(&before_), 0);
    pthread_attr_destroy(&before_);
  }
  NoThreadLeft(const NoThreadLeft&) = delete;
  NoThreadLeft& operator=(const NoThreadLeft&) = delete;

 private:
  pthread_attr_t before_;
};

TEST(Thread, takes_no_signal_of_the_host) {
  ASSERT_FALSE(is_blocked(SIGINT));
  bool in_thread = false;
  Result<std::thread> thread = start_thread("a test", [&] { in_thread = all_are_blocked(); });
  ASSERT_TRUE(thread);
  thread->join();
  EXPECT_TRUE(in_thread);
  EXPECT_FALSE(is_blocked(SIGINT));
}

TEST(Thread, is_an_error_when_the_system_has_none_left) {
  bool has_run = false;
  {
    const NoThreadLeft none;
    const Result<std::thread> thread = start_thread("a test", [&] { has_run = true; });
    ASSERT_FALSE(thread);
    EXPECT_EQ(thread.code(), ErrorCode::io);
    EXPECT_EQ(thread.error().context.rfind("no thread for a test: ", 0), 0U)
        << thread.error().context;
  }
  EXPECT_FALSE(has_run);
  EXPECT_FALSE(is_blocked(SIGINT));
  Result<std::thread> thread = start_thread("a test", [&] { has_run = true; });
  ASSERT_TRUE(thread);
  thread->join();
  EXPECT_TRUE(has_run);
}

TEST(Thread, is_an_error_when_there_is_no_memory_for_its_work) {
  bool has_run = false;
  test::fail_allocation_after(0);
  const Result<std::thread> thread = start_thread("a test", [&] { has_run = true; });
  EXPECT_TRUE(test::stop_failing_allocations());
  ASSERT_FALSE(thread);
  EXPECT_EQ(thread.code(), ErrorCode::out_of_memory);
  EXPECT_EQ(thread.error().context, "no memory for a test");
  EXPECT_FALSE(has_run);
  EXPECT_FALSE(is_blocked(SIGINT));
}

}  // namespace
}  // namespace martlet::io
