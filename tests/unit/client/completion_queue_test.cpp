// SPDX-License-Identifier: Apache-2.0
//
// Goal: completions leave in the layout and order that is promised, bounds and policies hold, a
// wake-up comes once per empty -> non-empty, and threads may feed while one polls. Method: feed by
// hand, poll, look at every byte.
#include "client/completion_queue.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "io/socket.hpp"
#include "io/system_clock.hpp"

namespace martlet::client {
namespace {

struct RoomCounter final : FeedSource {
  void on_queue_room() override { ++calls; }
  std::atomic<int> calls{0};
};

class CompletionQueueTest : public testing::Test {
 protected:
  std::shared_ptr<CompletionQueue> make(const QueueOptions& options = {}) {
    Result<std::shared_ptr<CompletionQueue>> made = CompletionQueue::create(clock_, options);
    EXPECT_TRUE(made.is_ok());
    return *made;
  }
  FeedVerdict offer(CompletionQueue& queue, FeedAccount* account, std::string_view subject,
                    std::string_view data) {
    Completion c;
    c.sid = account->sid;
    c.cookie = account->cookie;
    c.subject = subject;
    c.data = data;
    CompletionQueue::Feed feed(queue);
    return feed.add_message(c, account, &room_);
  }
  static std::vector<std::string> drain(CompletionQueue& queue) {
    std::vector<std::string> all;
    for (;;) {
      const Result<Batch> batch = queue.poll(0, 0);
      if (!batch) return all;
      for (int32_t i = 0; i < batch->count(); ++i) {
        if (batch->kind(i) == CompletionKind::message) {
          all.push_back(std::string(batch->subject(i)) + "=" + std::string(batch->data(i)));
        } else {
          const std::string data(batch->data(i));
          all.push_back("kind " + std::to_string(static_cast<int>(batch->kind(i))) + ": " +
                        data.substr(data.rfind("; ") + 2));
        }
      }
    }
  }
  io::SystemClock clock_;
  RoomCounter room_;
};

using Strings = std::vector<std::string>;

TEST_F(CompletionQueueTest, LaysOutDescriptorsThenBytes) {
  auto queue = make();
  FeedAccount* account = queue->open_account({}, 7, 99);
  Completion c;
  c.kind = CompletionKind::message;
  c.flags = completion_flag_has_reply | completion_flag_has_headers;
  c.cookie = 99;
  c.sid = 7;
  c.received_ns = 1234567890123456789;
  c.subject = "a.b";
  c.reply = "r";
  c.headers = "NATS/1.0 503\r\n\r\n";
  c.data = "xyz";
  {
    CompletionQueue::Feed feed(*queue);
    EXPECT_EQ(feed.add_message(c, account, &room_), FeedVerdict::taken);
    c.subject = "c";
    c.reply = c.headers = c.data = "";
    EXPECT_EQ(feed.add_message(c, account, &room_), FeedVerdict::taken);
  }
  const Result<Batch> batch = queue->poll(0, 0);
  ASSERT_TRUE(batch.is_ok());
  ASSERT_EQ(batch->count(), 2);
  EXPECT_EQ(batch->descriptors_offset(), 0);
  // As a foreign language would read it: numbers at fixed places, bytes at the offset.
  const char* block = batch->block();
  const auto number32 = [&](int32_t at) {
    int32_t value = 0;
    std::memcpy(&value, block + at, 4);
    return value;
  };
  const auto number64 = [&](int32_t at) {
    int64_t value = 0;
    std::memcpy(&value, block + at, 8);
    return value;
  };
  EXPECT_EQ(number32(0), 1);
  EXPECT_EQ(number32(4), 3);
  EXPECT_EQ(number32(8), 0);
  EXPECT_EQ(number32(12), 7);
  EXPECT_EQ(number64(16), 99);
  EXPECT_EQ(number64(24), 1234567890123456789);
  const int32_t lengths[4] = {3, 1, 16, 3};
  int32_t offset = number32(32);
  for (int part = 0; part < 4; ++part) {
    EXPECT_EQ(number32(32 + 8 * part), offset);
    EXPECT_EQ(number32(36 + 8 * part), lengths[part]);
    offset += lengths[part];
  }
  EXPECT_EQ(std::string_view(block + number32(32), 23), "a.brNATS/1.0 503\r\n\r\nxyz");
  EXPECT_EQ(batch->headers(0), "NATS/1.0 503\r\n\r\n");
  EXPECT_EQ(batch->subject(1), "c");
  EXPECT_EQ(batch->data(1), "");
  EXPECT_EQ(queue->poll(0, 0).code(), ErrorCode::again);
}

TEST_F(CompletionQueueTest, PollIntoPacksAndTellsWhatItNeeds) {
  auto queue = make();
  FeedAccount* account = queue->open_account({}, 1, 0);
  for (int i = 0; i < 10; ++i)
    offer(*queue, account, "s" + std::to_string(i), std::string(100, 'x'));
  alignas(8) char buffer[600];
  Result<CompletionQueue::Filled> filled = queue->poll_into(buffer, 100, 0, 0);
  ASSERT_TRUE(filled.is_ok());
  EXPECT_EQ(filled->count, 0);
  EXPECT_EQ(filled->bytes_needed, 64 + 102);
  filled = queue->poll_into(buffer, sizeof buffer, 0, 0);
  ASSERT_TRUE(filled.is_ok());
  EXPECT_EQ(filled->count, 3);
  EXPECT_EQ(filled->bytes, 3 * (64 + 102));
  const auto* d = reinterpret_cast<const CompletionDescriptor*>(buffer);
  EXPECT_EQ(std::string_view(buffer + d[2].subject_offset, 2), "s2");
  EXPECT_EQ(std::string_view(buffer + d[2].data_offset, 3), "xxx");
  EXPECT_EQ(d[0].subject_offset, 3 * 64);
  filled = queue->poll_into(buffer, sizeof buffer, 2, 0);
  EXPECT_EQ(filled->count, 2);
  EXPECT_EQ(drain(*queue).size(), 5u);
  EXPECT_EQ(queue->poll_into(buffer + 4, 100, 0, 0).code(), ErrorCode::invalid_argument);
}

TEST_F(CompletionQueueTest, BatchOutlivesQueueAndIsNotChangedByLaterEntries) {
  auto queue = make();
  FeedAccount* account = queue->open_account({}, 1, 0);
  offer(*queue, account, "one", "1");
  Batch kept = *queue->poll(0, 0);
  const std::string before(kept.block(), static_cast<size_t>(kept.block_bytes()));
  for (int i = 0; i < 1000; ++i) offer(*queue, account, "two", "2");
  EXPECT_EQ(std::string(kept.block(), static_cast<size_t>(kept.block_bytes())), before);
  queue.reset();
  EXPECT_EQ(kept.subject(0), "one");
}

TEST_F(CompletionQueueTest, BlocksStaySmallAndLargePayloadsGetTheirOwn) {
  auto queue = make();
  FeedAccount* account = queue->open_account({}, 1, 0);
  for (int i = 0; i < 5000; ++i) offer(*queue, account, "s", std::string(128, 'x'));
  offer(*queue, account, "big", std::string(1 << 20, 'b'));
  offer(*queue, account, "after", "a");
  int64_t messages = 0;
  bool big_seen = false;
  for (;;) {
    const Result<Batch> batch = queue->poll(0, 0);
    if (!batch) break;
    messages += batch->count();
    if (batch->data(0).size() == 1 << 20) {
      big_seen = true;
      EXPECT_EQ(batch->count(), 1);
    } else {
      EXPECT_LE(batch->block_bytes(), 65536);
    }
  }
  EXPECT_TRUE(big_seen);
  EXPECT_EQ(messages, 5002);
}

TEST_F(CompletionQueueTest, MessagesMaxSplitsABlock) {
  auto queue = make();
  FeedAccount* account = queue->open_account({}, 1, 0);
  for (int i = 0; i < 5; ++i) offer(*queue, account, "s", std::to_string(i));
  Result<Batch> first = queue->poll(2, 0);
  Result<Batch> second = queue->poll(2, 0);
  ASSERT_EQ(first->count(), 2);
  ASSERT_EQ(second->count(), 2);
  EXPECT_EQ(second->data(0), "2");
  EXPECT_EQ(second->descriptors_offset(), 128);
  offer(*queue, account, "s", "5");
  EXPECT_EQ(drain(*queue), (Strings{"s=4", "s=5"}));
}

TEST_F(CompletionQueueTest, RefuseNewTellsOncePerEpisode) {
  auto queue = make();
  FeedAccount* account = queue->open_account({4, 0, FullPolicy::refuse_new}, 1, 0);
  for (int i = 0; i < 10; ++i) offer(*queue, account, "s", std::to_string(i));
  EXPECT_EQ(queue->dropped_total(account), 6);
  EXPECT_EQ(drain(*queue), (Strings{"s=0", "s=1", "s=2", "s=3", "kind 6: 1 dropped so far"}));
  for (int i = 0; i < 5; ++i) offer(*queue, account, "t", std::to_string(i));
  EXPECT_EQ(drain(*queue), (Strings{"t=0", "t=1", "t=2", "t=3", "kind 6: 7 dropped so far"}));
}

TEST_F(CompletionQueueTest, BytesBoundHolds) {
  auto queue = make();
  FeedAccount* account = queue->open_account({0, 1000, FullPolicy::refuse_new}, 1, 0);
  for (int i = 0; i < 10; ++i) offer(*queue, account, "s", std::string(135, 'x'));  // 200 each
  EXPECT_EQ(queue->pending_messages(account), 5);
  EXPECT_EQ(offer(*queue, account, "s", ""), FeedVerdict::refused);
}

TEST_F(CompletionQueueTest, DropOldestKeepsTheNewest) {
  auto queue = make();
  FeedAccount* account = queue->open_account({3, 0, FullPolicy::drop_oldest}, 1, 0);
  FeedAccount* other = queue->open_account({}, 2, 0);
  offer(*queue, other, "o", "first");
  for (int i = 0; i < 100; ++i) offer(*queue, account, "s", std::to_string(i));
  offer(*queue, other, "o", "last");
  EXPECT_EQ(drain(*queue),
            (Strings{"o=first", "kind 6: 1 dropped so far", "s=97", "s=98", "s=99", "o=last"}));
  EXPECT_EQ(queue->dropped_total(account), 97);
}

TEST_F(CompletionQueueTest, DroppedMemoryIsGivenBack) {
  QueueOptions options;
  options.bytes_max = 1 << 30;
  auto queue = make(options);
  FeedAccount* dropper = queue->open_account({10, 0, FullPolicy::drop_oldest}, 1, 0);
  FeedAccount* keeper = queue->open_account({}, 2, 0);
  const std::string data(1000, 'x');
  for (int i = 0; i < 200000; ++i) {
    offer(*queue, dropper, "d", data);
    if (i % 100 == 0) offer(*queue, keeper, "k", std::to_string(i));
  }
  const Strings all = drain(*queue);
  EXPECT_EQ(all.size(), 2000u + 10 + 1);
  EXPECT_EQ(all[5], "k=400");
}

TEST_F(CompletionQueueTest, KeepLatestOfEachSubject) {
  auto queue = make();
  FeedAccount* account = queue->open_account({2, 0, FullPolicy::keep_latest_of_each_subject}, 1, 0);
  for (int i = 0; i < 50; ++i) {
    offer(*queue, account, "a", std::to_string(i));
    offer(*queue, account, "b", std::to_string(i));
  }
  EXPECT_EQ(offer(*queue, account, "c", "new subject at the bound"), FeedVerdict::refused);
  EXPECT_EQ(drain(*queue), (Strings{"a=49", "b=49", "kind 6: 1 dropped so far"}));
  offer(*queue, account, "a", "50");
  EXPECT_EQ(drain(*queue), (Strings{"a=50"}));
}

TEST_F(CompletionQueueTest, BlockReaderStopsAndResumesAtHalf) {
  QueueOptions options;
  options.messages_max = 4;
  auto queue = make(options);
  FeedAccount* account = queue->open_account({}, 1, 0);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(offer(*queue, account, "s", "x"), FeedVerdict::taken);
  EXPECT_EQ(offer(*queue, account, "s", "y"), FeedVerdict::blocked);
  EXPECT_EQ(offer(*queue, account, "s", "y"), FeedVerdict::blocked);
  EXPECT_EQ(queue->poll(1, 0)->count(), 1);
  EXPECT_EQ(room_.calls, 0);
  EXPECT_EQ(queue->poll(1, 0)->count(), 1);
  EXPECT_EQ(room_.calls, 1);
  EXPECT_EQ(offer(*queue, account, "s", "y"), FeedVerdict::taken);
  EXPECT_EQ(queue->dropped_total(account), 0);
}

TEST_F(CompletionQueueTest, QueueDropOldestChargesTheLoser) {
  QueueOptions options;
  options.messages_max = 3;
  options.full_policy = FullPolicy::drop_oldest;
  auto queue = make(options);
  FeedAccount* a = queue->open_account({}, 1, 0);
  FeedAccount* b = queue->open_account({}, 2, 0);
  for (int i = 0; i < 3; ++i) offer(*queue, a, "a", std::to_string(i));
  offer(*queue, b, "b", "0");
  EXPECT_GT(queue->dropped_total(a), 0);
  EXPECT_EQ(queue->dropped_total(b), 0);
}

TEST_F(CompletionQueueTest, WakesOncePerEmptyToNonEmpty) {
  auto queue = make();
  int wakes = 0;
  queue->set_wake([&] { ++wakes; });
  FeedAccount* account = queue->open_account({}, 1, 0);
  const Result<int> fd = queue->descriptor();
  ASSERT_TRUE(fd.is_ok());
  EXPECT_FALSE(io::wait_descriptor(*fd, true, false, 0));
  for (int i = 0; i < 10; ++i) offer(*queue, account, "s", "x");
  EXPECT_EQ(wakes, 1);
  EXPECT_TRUE(io::wait_descriptor(*fd, true, false, 0));
  EXPECT_EQ(queue->poll(4, 0)->count(), 4);
  offer(*queue, account, "s", "x");
  EXPECT_EQ(wakes, 1);
  EXPECT_TRUE(io::wait_descriptor(*fd, true, false, 0));
  drain(*queue);
  EXPECT_FALSE(io::wait_descriptor(*fd, true, false, 0));
  offer(*queue, account, "s", "x");
  EXPECT_EQ(wakes, 2);
}

TEST_F(CompletionQueueTest, CloseLetsTheRestOutAndThenSaysClosed) {
  auto queue = make();
  FeedAccount* account = queue->open_account({}, 1, 0);
  offer(*queue, account, "s", "x");
  queue->close();
  EXPECT_EQ(offer(*queue, account, "s", "y"), FeedVerdict::refused);
  EXPECT_EQ(drain(*queue), (Strings{"s=x"}));
  EXPECT_EQ(queue->poll(0, -1).code(), ErrorCode::closed);
}

// A host's loop watches the descriptor and polls when it is readable: it has to see the queue to
// its end, and that it is the end.
TEST_F(CompletionQueueTest, DescriptorStaysReadableFromTheCloseOn) {
  auto queue = make();
  FeedAccount* account = queue->open_account({}, 1, 0);
  const int fd = *queue->descriptor();
  for (int i = 0; i < 3; ++i) offer(*queue, account, "s", "x");
  queue->close();
  for (int left = 3; left > 0; --left) {
    ASSERT_TRUE(io::wait_descriptor(fd, true, false, 0)) << left << " wait";
    ASSERT_EQ(queue->poll(1, 0)->count(), 1);
  }
  ASSERT_TRUE(io::wait_descriptor(fd, true, false, 0)) << "nobody would ask for the end";
  EXPECT_EQ(queue->poll(0, 0).code(), ErrorCode::closed);
  EXPECT_TRUE(io::wait_descriptor(fd, true, false, 0));
}

TEST_F(CompletionQueueTest, DescriptorOfAClosedQueueIsReadableAtOnce) {
  auto empty = make();
  empty->close();
  EXPECT_TRUE(io::wait_descriptor(*empty->descriptor(), true, false, 0));
}

TEST_F(CompletionQueueTest, ClosedAccountStaysUntilItsLastEntryLeft) {
  auto queue = make();
  FeedAccount* account = queue->open_account({}, 1, 5);
  offer(*queue, account, "s", "x");
  queue->close_account(account);
  EXPECT_EQ(drain(*queue), (Strings{"s=x"}));
}

TEST_F(CompletionQueueTest, EventsAreBoundedAboveTheBound) {
  QueueOptions options;
  options.messages_max = 10;
  auto queue = make(options);
  Completion event;
  event.kind = CompletionKind::log_line;
  event.data = "line";
  int taken = 0;
  for (int i = 0; i < 5000; ++i) taken += queue->add(event) ? 1 : 0;
  EXPECT_EQ(taken, 10 + 1024);
  event.kind = CompletionKind::closed;
  EXPECT_TRUE(queue->add(event));
}

TEST_F(CompletionQueueTest, FourThreadsFeedWhileOnePolls) {
  QueueOptions options;
  options.messages_max = 1 << 20;
  options.spin_us = 20;
  auto queue = make(options);
  constexpr int threads = 4;
  constexpr int each = 20000;
  std::vector<std::thread> feeders;
  for (int t = 0; t < threads; ++t) {
    feeders.emplace_back([&, t] {
      FeedAccount* account = queue->open_account({}, t, t);
      for (int i = 0; i < each; ++i) offer(*queue, account, "s", std::to_string(i));
      queue->close_account(account);
    });
  }
  int next[threads] = {};
  for (int received = 0; received < threads * each;) {
    const Result<Batch> batch = queue->poll(0, 5 * ns_per_s);
    ASSERT_TRUE(batch.is_ok());
    for (int32_t i = 0; i < batch->count(); ++i) {
      const int32_t t = batch->descriptor(i).sid;
      ASSERT_EQ(batch->data(i), std::to_string(next[t]++));
    }
    received += batch->count();
  }
  for (std::thread& feeder : feeders) feeder.join();
  EXPECT_EQ(queue->messages(), 0);
}

}  // namespace
}  // namespace martlet::client
