// SPDX-License-Identifier: Apache-2.0
//
// Goal: entries for many queues in any order all arrive, no wake-up runs while a queue is held, and
// two writers that come to the same queues in opposite orders both get through. Method: real
// queues, and threads for the last.
#include "client/feed_writer.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include "io/system_clock.hpp"

namespace martlet::client {
namespace {

const io::SystemClock system_clock_;

std::vector<std::shared_ptr<CompletionQueue>> make_queues(size_t count) {
  std::vector<std::shared_ptr<CompletionQueue>> queues;
  for (size_t i = 0; i < count; ++i) queues.push_back(*CompletionQueue::create(system_clock_));
  return queues;
}

Completion entry(int64_t cookie) {
  Completion c;
  c.kind = CompletionKind::reply;
  c.cookie = cookie;
  return c;
}

std::vector<int64_t> take_cookies(CompletionQueue& queue) {
  std::vector<int64_t> cookies;
  for (;;) {
    const Result<Batch> batch = queue.poll(0, 0);
    if (!batch) return cookies;
    for (int32_t i = 0; i < batch->count(); ++i) cookies.push_back(batch->descriptor(i).cookie);
  }
}

TEST(FeedWriter, FeedsMoreQueuesThanItHolds) {
  const std::vector<std::shared_ptr<CompletionQueue>> queues =
      make_queues(FeedWriter::held_max + 3);
  FeedWriter writer;
  for (const int64_t cookie : {1, 2, 3}) {
    for (const std::shared_ptr<CompletionQueue>& queue : queues)
      EXPECT_TRUE(writer.feed(queue).add(entry(cookie)));
  }
  writer.finish();
  for (const std::shared_ptr<CompletionQueue>& queue : queues)
    EXPECT_EQ(take_cookies(*queue), (std::vector<int64_t>{1, 2, 3}));
}

TEST(FeedWriter, WakesOnceForEachQueueWhenNoneIsHeld) {
  const std::vector<std::shared_ptr<CompletionQueue>> queues = make_queues(3);
  std::vector<int> wakes(queues.size());
  for (size_t i = 0; i < queues.size(); ++i) {
    queues[i]->set_wake([&wakes, &queues, i] {
      ++wakes[i];
      for (const std::shared_ptr<CompletionQueue>& queue : queues)
        EXPECT_TRUE(queue->try_lock().owns_lock());
    });
  }
  FeedWriter writer;
  for (int round = 0; round < 2; ++round) {
    for (const std::shared_ptr<CompletionQueue>& queue : queues) writer.feed(queue).add(entry(0));
  }
  EXPECT_EQ(wakes, (std::vector<int>{0, 0, 0}));
  writer.finish();
  EXPECT_EQ(wakes, (std::vector<int>{1, 1, 1}));
}

TEST(FeedWriter, HoldsAQueueThatItsOwnerLetsGoOf) {
  std::vector<std::shared_ptr<CompletionQueue>> queues = make_queues(2);
  const std::weak_ptr<CompletionQueue> first = queues[0];
  FeedWriter writer;
  writer.feed(queues[0]).add(entry(1));
  writer.feed(queues[1]).add(entry(1));
  queues[0].reset();
  EXPECT_FALSE(first.expired());
  writer.finish();
  EXPECT_TRUE(first.expired());
}

TEST(FeedWriter, TwoInOppositeOrdersGetThrough) {
  const std::vector<std::shared_ptr<CompletionQueue>> queues = make_queues(2);
  constexpr int rounds = 2000;
  const auto feed_both = [&queues](size_t first) {
    for (int i = 0; i < rounds; ++i) {
      FeedWriter writer;
      writer.feed(queues[first]).add(entry(i));
      writer.feed(queues[1 - first]).add(entry(i));
    }
  };
  std::thread other(feed_both, 1);
  feed_both(0);
  other.join();
  for (const std::shared_ptr<CompletionQueue>& queue : queues)
    EXPECT_EQ(take_cookies(*queue).size(), size_t{2 * rounds});
}

}  // namespace
}  // namespace martlet::client
