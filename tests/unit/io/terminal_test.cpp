// SPDX-License-Identifier: Apache-2.0
//
// Goal: a stream that is a file is no terminal. Method: a child with its streams put to /dev/null.
#include "io/terminal.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace martlet::io {
namespace {

TEST(Terminal, AFileIsNone) {
  const pid_t child = fork();
  if (child == 0) {
    const int null = open("/dev/null", O_RDWR);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    _exit(is_input_terminal() || is_output_terminal() ? 1 : 0);
  }
  int state = 0;
  ASSERT_EQ(waitpid(child, &state, 0), child);
  EXPECT_EQ(WEXITSTATUS(state), 0);
}

}  // namespace
}  // namespace martlet::io
