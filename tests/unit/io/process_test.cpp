// SPDX-License-Identifier: Apache-2.0
//
// Goal: processes are found by name and steered. Method: a child of this test that waits to be
// killed.
#include "io/process.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace martlet::io {
namespace {

TEST(Process, its_own_number_and_names) {
  EXPECT_EQ(process_id(), getpid());
  EXPECT_FALSE(host_name().empty());
}

TEST(Process, a_child_is_found_by_its_name_and_ended_by_a_signal) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    setpgid(0, 0);  // A group of its own: what is meant for one reaches nobody else.
    execl("/bin/sleep", "martlet-process-test", "600", nullptr);
    _exit(127);
  }
  std::vector<int64_t> found;
  for (int tries = 0; tries < 1000 && found.empty(); ++tries) {
    found = processes_called("martlet-process-test 600");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_NE(std::find(found.begin(), found.end(), child), found.end());
  EXPECT_TRUE(processes_called("martlet-process-test 60").empty());
  // Neither its group nor a number of which the lower half is its own.
  EXPECT_EQ(send_signal(-int64_t{child}, ProcessSignal::kill).code(), ErrorCode::io);
  EXPECT_EQ(send_signal((int64_t{1} << 32) + child, ProcessSignal::kill).code(), ErrorCode::io);
  EXPECT_TRUE(send_signal(child, ProcessSignal::terminate));
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
  const Status gone = send_signal(child, ProcessSignal::kill);
  EXPECT_EQ(gone.code(), ErrorCode::io);
  EXPECT_EQ(gone.error().context, "no such process");
}

}  // namespace
}  // namespace martlet::io
