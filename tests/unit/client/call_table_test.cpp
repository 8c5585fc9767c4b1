// SPDX-License-Identifier: Apache-2.0
//
// Goal: answers find their calls, deadlines end them, and nothing is answered twice.
#include "client/call_table.hpp"

#include <gtest/gtest.h>

#include "io/system_clock.hpp"

namespace martlet::client {
namespace {

class CallTableTest : public testing::Test {
 protected:
  CallTableTest() { table.set_inbox("in."); }
  CallTarget target(int64_t cookie) { return CallTarget{nullptr, queue, cookie}; }
  // "kind cookie status" of each completion.
  std::string seen() {
    writer.finish();
    std::string text;
    for (;;) {
      const Result<Batch> batch = queue->poll(0, 0);
      if (!batch) return text;
      for (int32_t i = 0; i < batch->count(); ++i) {
        const CompletionDescriptor& d = batch->descriptor(i);
        text += std::to_string(d.kind) + "/" + std::to_string(d.cookie) + "/" +
                std::to_string(d.status) + " ";
      }
    }
  }
  const io::SystemClock clock;
  const std::shared_ptr<CompletionQueue> queue = *CompletionQueue::create(clock);
  CallTable table{3};
  FeedWriter writer;
};

TEST_F(CallTableTest, RepliesFindTheirRequest) {
  const uint64_t one = table.add_request(target(1), 1, -1);
  const uint64_t two = table.add_request(target(2), 2, 100);
  EXPECT_EQ(table.reply_subject(one), "in.1");
  table.on_reply("in.2", {}, false, writer);
  table.on_reply("in.2", {}, false, writer);
  table.on_reply("in.2", {}, false, writer);
  table.on_reply("in.1", {}, true, writer);
  table.on_reply("in.", {}, false, writer);
  table.on_reply("other.1", {}, false, writer);
  EXPECT_EQ(seen(), "2/2/0 2/2/0 2/1/-13 ");
  EXPECT_EQ(table.next_deadline_ns(), -1) << "an answered request has no deadline";
  table.forget_request(two);
}

TEST_F(CallTableTest, NumbersAreWrittenInBase62) {
  CallTable many(100000);
  many.set_inbox("i.");
  for (int i = 0; i < 5000; ++i) {
    const uint64_t number = many.add_request(target(i), 1, -1);
    many.on_reply(many.reply_subject(number), {}, false, writer);
    ASSERT_EQ(seen(), "2/" + std::to_string(i) + "/0 ");
  }
  EXPECT_EQ(many.reply_subject(62), "i.10");
}

TEST_F(CallTableTest, RequestsAreBounded) {
  for (int i = 0; i < 3; ++i) EXPECT_NE(table.add_request(target(i), 1, -1), 0u);
  EXPECT_EQ(table.add_request(target(9), 1, -1), 0u);
}

TEST_F(CallTableTest, DeadlinesEndCallsInTheirOrder) {
  table.add_request(target(1), 1, 300);
  table.add_ping(CallTable::PingKind::call, target(2), 0, 100);
  table.add_ping(CallTable::PingKind::call, target(3), 0, 500);
  EXPECT_EQ(table.next_deadline_ns(), 100);
  EXPECT_EQ(table.expire(99, writer), 100);
  EXPECT_EQ(seen(), "");
  EXPECT_EQ(table.expire(300, writer), 500);
  EXPECT_EQ(seen(), "3/2/-8 2/1/-8 ");
  EXPECT_TRUE(table.on_pong(0, writer).expected);  // Of the one that gave up.
  EXPECT_EQ(seen(), "");
  table.on_pong(0, writer);
  EXPECT_EQ(seen(), "3/3/0 ");
  EXPECT_FALSE(table.on_pong(0, writer).expected);
  EXPECT_EQ(table.expire(1000, writer), -1);
}

TEST_F(CallTableTest, LossFailsTheRequestsThatWereWritten) {
  table.note_published(table.add_request(target(1), 1, 50), 7, writer);
  const uint64_t unknown = table.add_request(target(2), 1, -1);
  table.note_published(table.add_request(target(3), 1, 60), 9, writer);
  table.fail_lost(8, writer);
  EXPECT_EQ(seen(), "2/1/-11 ");
  EXPECT_EQ(table.next_deadline_ns(), 60) << "a failed request has no deadline";
  table.note_published(unknown, 8, writer);  // It was written just before the loss.
  EXPECT_EQ(seen(), "2/2/-11 ");
  table.on_reply("in.3", {}, false, writer);
  EXPECT_EQ(seen(), "2/3/0 ");
}

TEST_F(CallTableTest, LossFailsFlushesAndEndFailsAll) {
  table.note_published(table.add_request(target(1), 1, 50), 8, writer);
  table.add_ping(CallTable::PingKind::call, target(2), 0, 60);
  table.fail_lost(7, writer);
  EXPECT_EQ(seen(), "3/2/-11 ");
  table.fail_all(ErrorCode::closed, writer);
  EXPECT_EQ(seen(), "2/1/-9 ");
  EXPECT_EQ(table.next_deadline_ns(), -1);
}

TEST_F(CallTableTest, WaitingThreadFindsItsBatch) {
  const std::shared_ptr<CallSlot> slot = std::make_shared<CallSlot>();
  table.add_request(CallTarget{slot, nullptr, 0}, 1, -1);
  Completion answer;
  answer.subject = "in.1";
  answer.headers = "NATS/1.0\r\n\r\n";
  answer.data = "data";
  table.on_reply("in.1", answer, false, writer);
  ASSERT_TRUE(slot->done.load());
  EXPECT_EQ(slot->reply.data(0), "data");
  EXPECT_EQ(slot->reply.headers(0), "NATS/1.0\r\n\r\n");
  EXPECT_EQ(slot->reply.kind(0), CompletionKind::reply);
}

}  // namespace
}  // namespace martlet::client
