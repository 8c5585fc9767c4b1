// SPDX-License-Identifier: Apache-2.0
//
// Goal: a guard knows a child from the process that made it. Method: fork, ask, and send the answer
// as exit status.
#include "io/fork_guard.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace martlet::io {
namespace {

int answer_of_child(const ForkGuard& guard, int depth) {
  const pid_t child = fork();
  if (child == 0) {
    if (depth > 1) _exit(answer_of_child(guard, depth - 1));
    _exit(guard.is_forked() ? 7 : 8);
  }
  int state = 0;
  EXPECT_EQ(waitpid(child, &state, 0), child);
  return WEXITSTATUS(state);
}

TEST(ForkGuard, ChildAndGrandchildKnowThatTheyAreForks) {
  Result<ForkGuard> guard = ForkGuard::create();
  ASSERT_TRUE(guard.is_ok());
  EXPECT_FALSE(guard->is_forked());
  EXPECT_EQ(answer_of_child(*guard, 1), 7);
  EXPECT_EQ(answer_of_child(*guard, 2), 7);
  EXPECT_FALSE(guard->is_forked());
}

TEST(ForkGuard, MovesItsPage) {
  Result<ForkGuard> made = ForkGuard::create();
  ASSERT_TRUE(made.is_ok());
  ForkGuard first = std::move(*made);
  Result<ForkGuard> other = ForkGuard::create();
  ASSERT_TRUE(other.is_ok());
  first = std::move(*other);
  EXPECT_FALSE(first.is_forked());
}

}  // namespace
}  // namespace martlet::io
