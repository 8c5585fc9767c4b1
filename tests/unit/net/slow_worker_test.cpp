// SPDX-License-Identifier: Apache-2.0
//
// Goal: slow work leaves the caller's thread, in order and bounded, and an end waits for no more
// than the task under way. Method: tasks that the test holds up.
#include "net/slow_worker.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

namespace martlet::net {
namespace {

TEST(SlowWorker, runs_tasks_in_order_on_a_thread_of_its_own) {
  SlowWorker worker;
  std::vector<int> order;
  std::promise<std::thread::id> last;
  for (int i = 0; i < 100; i++) {
    EXPECT_TRUE(worker.run([&order, i] { order.push_back(i); }));
  }
  EXPECT_TRUE(worker.run([&last] { last.set_value(std::this_thread::get_id()); }));
  EXPECT_NE(last.get_future().get(), std::this_thread::get_id());
  ASSERT_EQ(order.size(), 100U);
  for (int i = 0; i < 100; i++) EXPECT_EQ(order[static_cast<size_t>(i)], i);
}

TEST(SlowWorker, refuses_what_finds_no_room_and_drops_what_has_not_begun) {
  SlowWorker worker;
  std::promise<void> begun;
  std::promise<void> may_end;
  std::atomic<int> finished{0};
  EXPECT_TRUE(worker.run([&] {
    begun.set_value();
    may_end.get_future().wait();
    finished += 1;
  }));
  begun.get_future().wait();
  for (size_t i = 0; i < SlowWorker::tasks_max; i++) {
    EXPECT_TRUE(worker.run([&finished] { finished += 1; })) << i;
  }
  EXPECT_FALSE(worker.run([] {}));
  std::thread stopper([&worker] { worker.stop(); });
  // stop() has begun when nothing is taken any more; before that the queue is full in any case.
  may_end.set_value();
  stopper.join();
  EXPECT_GE(finished.load(), 1);
  EXPECT_FALSE(worker.run([] {}));
  worker.stop();
}

}  // namespace
}  // namespace martlet::net
