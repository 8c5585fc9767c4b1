// SPDX-License-Identifier: Apache-2.0
//
// Goal: a loop turns for descriptors, timers and posted work, and can be nested. Method: a real
// loop, a pipe of sockets.
#include "io/loop.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <thread>

#include "io/socket.hpp"
#include "io/system_clock.hpp"

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

}  // namespace
}  // namespace martlet::io
