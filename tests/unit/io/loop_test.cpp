// SPDX-License-Identifier: Apache-2.0
//
// Goal: a loop turns for descriptors, timers and posted work, and can be nested. Method: a real
// loop, a pipe of sockets.
#include "io/loop.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "io/socket.hpp"
#include "io/system_clock.hpp"
#include "io/wake_descriptor.hpp"

namespace martlet::io {
namespace {

TEST(Loop, runs_posted_work_and_stops) {
  SystemClock clock;
  auto loop = Loop::create(clock);
  ASSERT_TRUE(loop);
  std::atomic<int> ran{0};
  std::thread thread([&] { (*loop)->run(); });
  for (int i = 0; i < 1000; i++) (*loop)->post([&] { ran += 1; });
  (*loop)->post([&] { (*loop)->stop(); });
  thread.join();
  EXPECT_EQ(ran, 1000);
}

// In a process of its own, which may open no descriptor from `limit` on: how it ended, and what was
// written on its standard error.
int make_a_loop_below(rlim_t limit, bool with_descriptor, std::string& words) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), &std::fclose);
  const pid_t child = fork();
  if (child == 0) {
    dup2(fileno(file.get()), STDERR_FILENO);
    const rlimit bound{limit, limit};
    if (setrlimit(RLIMIT_NOFILE, &bound) != 0) _exit(100);
    const SystemClock clock;
    const auto loop = Loop::create(clock, with_descriptor);
    if (loop) _exit(10);
    _exit(loop.code() == ErrorCode::io ? 20 : 30);
  }
  int status = 0;
  waitpid(child, &status, 0);
  std::array<char, 256> text{};
  std::rewind(file.get());
  words.assign(text.data(), std::fread(text.data(), 1, text.size(), file.get()));
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Loop, too_few_descriptors_are_an_error_and_no_end_of_the_process) {
  for (const bool with_descriptor : {false, true}) {
    bool is_made = false;
    bool is_refused = false;
    for (rlim_t limit = 3; limit < 60; limit++) {
      std::string words;
      const int status = make_a_loop_below(limit, with_descriptor, words);
      EXPECT_TRUE(status == 10 || status == 20) << status << " with " << limit << " descriptors";
      EXPECT_EQ(words, "") << "with " << limit << " descriptors";
      is_made = is_made || status == 10;
      is_refused = is_refused || status == 20;
    }
    EXPECT_TRUE(is_made);
    EXPECT_TRUE(is_refused);
  }
}

TEST(Loop, fires_timers) {
  SystemClock clock;
  auto loop = Loop::create(clock);
  ASSERT_TRUE(loop);
  int fired = 0;
  Timer timer([](void* count) { *static_cast<int*>(count) += 1; }, &fired);
  (*loop)->start_timer(timer, 10 * ns_per_ms);
  const int64_t start = clock.monotonic_ns();
  while (fired == 0 && clock.monotonic_ns() - start < 5 * ns_per_s) (*loop)->run_once(-1);
  EXPECT_EQ(fired, 1);
  EXPECT_GE(clock.monotonic_ns() - start, 10 * ns_per_ms);
}

TEST(Loop, its_descriptor_shows_that_there_is_work) {
  SystemClock clock;
  auto loop = Loop::create(clock, true);
  ASSERT_TRUE(loop);
  ASSERT_GE((*loop)->descriptor(), 0);
  EXPECT_FALSE(wait_descriptor((*loop)->descriptor(), true, false, 0));
  bool ran = false;
  (*loop)->post([&] { ran = true; });
  EXPECT_TRUE(wait_descriptor((*loop)->descriptor(), true, false, ns_per_s));
  (*loop)->run_once(0);
  EXPECT_TRUE(ran);
  EXPECT_FALSE(wait_descriptor((*loop)->descriptor(), true, false, 0));
}

TEST(Loop, spins_before_it_sleeps_and_misses_nothing) {
  SystemClock clock;
  auto loop = Loop::create(clock);
  ASSERT_TRUE(loop);
  (*loop)->set_spin_ns(5 * ns_per_ms);
  const int64_t start = clock.monotonic_ns();
  (*loop)->run_once(20 * ns_per_ms);  // Spins, then sleeps for the rest.
  EXPECT_GE(clock.monotonic_ns() - start, 20 * ns_per_ms);
  std::atomic<bool> ran{false};
  std::thread other([&] { (*loop)->post([&] { ran = true; }); });
  while (!ran) (*loop)->run_once(5 * ns_per_s);
  other.join();
  int fired = 0;
  Timer timer([](void* count) { *static_cast<int*>(count) += 1; }, &fired);
  (*loop)->start_timer(timer, ns_per_ms);
  while (fired == 0) (*loop)->run_once(-1);
}

/// Has work once as long as it is spun; ends as a target when it has done it.
class OneJob final : public SpinTarget {
 public:
  explicit OneJob(Loop& loop) : loop_(loop) {}
  void on_spin(bool spinning) override { told.push_back(spinning); }
  bool has_work() const override { return offered; }
  void on_work() override {
    done += 1;
    offered = false;
    if (removes_itself) loop_.remove_spin_target(*this);
  }
  bool offered = false;
  bool removes_itself = false;
  int done = 0;
  std::vector<bool> told;

 private:
  Loop& loop_;
};

TEST(Loop, a_spinning_loop_looks_at_its_targets_and_tells_them_before_it_sleeps) {
  SystemClock clock;
  auto loop = Loop::create(clock);
  ASSERT_TRUE(loop);
  (*loop)->set_spin_ns(ns_per_ms);
  int turns = 0;
  (*loop)->set_on_turn_end([&] {
    turns += 1;
    return false;
  });
  OneJob first(**loop);
  OneJob second(**loop);
  (*loop)->add_spin_target(first);
  (*loop)->add_spin_target(second);
  EXPECT_TRUE(first.told.empty()) << "nobody spins yet";
  second.offered = true;
  (*loop)->run_once(60 * ns_per_s);
  EXPECT_EQ(second.done, 1);
  EXPECT_EQ(first.done, 0);
  EXPECT_EQ(turns, 1);
  EXPECT_EQ(first.told, std::vector<bool>{true}) << "it goes on looking in the next turn";
  first.offered = first.removes_itself = true;
  (*loop)->run_once(60 * ns_per_s);
  EXPECT_EQ(first.done, 1);
  EXPECT_EQ(first.told, (std::vector<bool>{true, false}));
  (*loop)->run_once(3 * ns_per_ms);  // Finds nothing and sleeps.
  EXPECT_EQ(second.told, (std::vector<bool>{true, false}));
  second.offered = true;
  (*loop)->run_once(0);
  EXPECT_EQ(second.done, 1) << "who was told that nobody looks would wake the loop";
  (*loop)->remove_spin_target(second);
}

/// Counts, and leaves what there is to read.
class Counter final : public FdHandler {
 public:
  void on_fd_ready(bool, bool) override { calls += 1; }
  int calls = 0;
};

TEST(Loop, a_spinning_loop_that_is_busy_still_looks_at_its_descriptors) {
  SystemClock clock;
  for (const bool by_targets : {true, false}) {
    auto loop = Loop::create(clock);
    ASSERT_TRUE(loop);
    (*loop)->set_spin_ns(ns_per_s);
    Result<WakeDescriptor> readable = WakeDescriptor::create();
    ASSERT_TRUE(readable);
    readable->signal();
    Counter counter;
    FdWatch watch(**loop, readable->descriptor(), counter);
    ASSERT_TRUE(watch.set_interest(true, false));
    OneJob job(**loop);
    (*loop)->add_spin_target(job);
    for (int turn = 0; turn < 1000; turn++) {
      job.offered = by_targets;
      if (!by_targets) (*loop)->wake();
      (*loop)->run_once(-1);
    }
    EXPECT_GE(counter.calls, 200) << by_targets;
    EXPECT_GE(job.done, by_targets ? 900 : 0);
    (*loop)->remove_spin_target(job);
  }
}

TEST(Loop, timers_fire_while_it_spins) {
  SystemClock clock;
  auto loop = Loop::create(clock);
  ASSERT_TRUE(loop);
  (*loop)->set_spin_ns(600 * ns_per_s);
  int fired = 0;
  Timer timer([](void* count) { *static_cast<int*>(count) += 1; }, &fired);
  (*loop)->start_timer(timer, ns_per_ms);
  while (fired == 0) (*loop)->run_once(-1);
}

TEST(Loop, tells_a_taken_port) {
  auto first = listen_tcp("127.0.0.1", 0, 8);
  ASSERT_TRUE(first);
  auto port = local_port(first->get());
  ASSERT_TRUE(port);
  auto second = listen_tcp("127.0.0.1", *port, 8);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.code(), ErrorCode::address_in_use);
  EXPECT_NE(second.error().context.find(std::to_string(*port)), std::string::npos);
}

void need_memory() { throw std::bad_alloc(); }

TEST(Loop, goes_on_when_memory_fails_in_what_it_calls) {
  struct Reader final : FdHandler {
    void on_fd_ready(bool, bool) override {
      calls += 1;
      need_memory();
    }
    int calls = 0;
  };
  SystemClock clock;
  auto loop = Loop::create(clock);
  ASSERT_TRUE(loop);
  int refusals = 0;
  int turns = 0;
  int wakes = 0;
  (*loop)->set_on_out_of_memory([&] { refusals += 1; });
  (*loop)->set_on_turn_end([&] {
    turns += 1;
    if (turns == 1) need_memory();
    return false;
  });
  (*loop)->set_on_wake([&] {
    wakes += 1;
    if (wakes == 1) need_memory();
  });
  auto descriptor = WakeDescriptor::create();
  ASSERT_TRUE(descriptor);
  Reader reader;
  FdWatch watch(**loop, descriptor->descriptor(), reader);
  ASSERT_TRUE(watch.set_interest(true, false));
  descriptor->signal();
  int timers = 0;
  const auto on_timer = [](void* count) {
    *static_cast<int*>(count) += 1;
    need_memory();
  };
  Timer first(on_timer, &timers);
  Timer second(on_timer, &timers);
  (*loop)->start_timer(first, 1);
  (*loop)->start_timer(second, 1);
  bool ran = false;
  (*loop)->post([] { need_memory(); });
  (*loop)->post([&] { ran = true; });
  const int64_t start = clock.monotonic_ns();
  while (timers < 2 && clock.monotonic_ns() - start < 5 * ns_per_s) (*loop)->run_once(ns_per_ms);
  EXPECT_GE(reader.calls, 2);  // Readable still: it is asked again.
  EXPECT_EQ(timers, 2);
  EXPECT_TRUE(ran);
  EXPECT_EQ(wakes, 1);
  EXPECT_GT(turns, 1);
  EXPECT_GE(refusals, 5);
}

TEST(Loop, goes_on_when_there_is_no_memory_even_for_saying_so) {
  SystemClock clock;
  auto loop = Loop::create(clock);
  ASSERT_TRUE(loop);
  (*loop)->set_on_out_of_memory(need_memory);
  bool ran = false;
  (*loop)->post(need_memory);
  (*loop)->post([&] { ran = true; });
  (*loop)->run_once(0);
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace martlet::io
