// SPDX-License-Identifier: Apache-2.0
//
// A child process that has a copy of every descriptor of this one, as a forked worker has.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace martlet {

/// Lives from its making to its end, and does nothing.
class ForkedCopy {
 public:
  ForkedCopy() {
    int ends[2];
    if (::pipe(ends) != 0) {
      ADD_FAILURE() << "no pipe";
      return;
    }
    child_ = ::fork();
    if (child_ == 0) {
      ::close(ends[1]);
      char ignored = 0;
      while (::read(ends[0], &ignored, 1) < 0 && errno == EINTR) {
      }
      ::_exit(0);
    }
    EXPECT_GT(child_, 0);
    ::close(ends[0]);
    end_ = ends[1];
  }
  ~ForkedCopy() {
    if (end_ >= 0) ::close(end_);
    if (child_ <= 0) return;
    int state = 0;
    EXPECT_EQ(::waitpid(child_, &state, 0), child_);
  }
  ForkedCopy(const ForkedCopy&) = delete;
  ForkedCopy& operator=(const ForkedCopy&) = delete;

 private:
  pid_t child_ = -1;
  int end_ = -1;
};

}  // namespace martlet
