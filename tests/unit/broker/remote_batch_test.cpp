// SPDX-License-Identifier: Apache-2.0
//
// Goal: a message comes out of a batch as it went in. Method: a few messages with every part
// present and absent.
#include "broker/remote_batch.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/out_of_memory.hpp"
#include "tests/support/failing_memory.hpp"

namespace martlet::broker {
namespace {

TEST(RemoteBatch, gives_back_what_was_put_in) {
  RemoteBatch batch;
  EXPECT_TRUE(batch.is_empty());
  Account* account = reinterpret_cast<Account*>(8);
  Message first;
  first.subject = "a.b";
  first.reply = "r";
  first.payload = "NATS/1.0\r\n\r\nbody";
  first.has_headers = true;
  first.header_bytes = 12;
  batch.begin_message(*account, first);
  batch.add_receiver({{1, 2}, 0});
  batch.add_receiver({{3, 4}, 99});
  Message second;
  second.subject = "c";
  batch.begin_message(*account, second);
  batch.add_receiver({{5, 6}, 0});
  ASSERT_EQ(batch.record_count(), 2U);
  const Message out = batch.message(batch.record(0));
  EXPECT_EQ(out.subject, "a.b");
  EXPECT_EQ(out.reply, "r");
  EXPECT_EQ(out.payload, first.payload);
  EXPECT_EQ(std::string_view(out.payload.data() + out.payload.size(), 2), "\r\n");
  EXPECT_EQ(out.header_bytes, 12U);
  ASSERT_EQ(batch.record(0).receiver_count, 2U);
  EXPECT_EQ(batch.receivers(batch.record(0))[1].queue_hash, 99U);
  EXPECT_EQ(batch.message(batch.record(1)).payload, "");
  EXPECT_EQ(batch.receivers(batch.record(1))[0].handle.slot, 5U);
}

TEST(RemoteBatchList, keeps_the_order) {
  RemoteBatchList list;
  EXPECT_EQ(list.take_front(), nullptr);
  for (const char* subject : {"a", "b", "c"}) {
    auto batch = std::make_unique<RemoteBatch>();
    Message message;
    message.subject = subject;
    batch->begin_message(*reinterpret_cast<Account*>(8), message);
    list.append(std::move(batch));
  }
  RemoteBatchList taken;
  taken.swap(list);
  EXPECT_EQ(list.take_front(), nullptr);
  const std::unique_ptr<RemoteBatch> first = taken.take_front();
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->message(first->record(0)).subject, "a");
  const std::unique_ptr<RemoteBatch> second = taken.take_front();
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->message(second->record(0)).subject, "b");
  // The third one goes with its list.
}

TEST(RemoteBatch, is_as_before_when_memory_fails) {
  Account* account = reinterpret_cast<Account*>(8);
  const std::string payload(5000, 'p');
  const auto round = [&](test::FailingMemory& memory) {
    RemoteBatch batch;
    Message message;
    message.subject = "a.b";
    message.payload = payload;
    size_t begun = 0;
    size_t received = 0;
    memory.during([&] {
      for (int i = 0; i < 10; i++) {
        if (!fits_into_memory([&] { batch.begin_message(*account, message); })) continue;
        begun += 1;
        if (fits_into_memory([&] { batch.add_receiver({{1, 2}, 0}); })) received += 1;
      }
    });
    ASSERT_EQ(batch.record_count(), begun);
    size_t receivers = 0;
    for (size_t i = 0; i < begun; i++) {
      EXPECT_EQ(batch.message(batch.record(i)).subject, "a.b");
      EXPECT_EQ(batch.message(batch.record(i)).payload, payload);
      receivers += batch.record(i).receiver_count;
    }
    EXPECT_EQ(receivers, received);
  };
  EXPECT_GT(test::fail_each_allocation(test::Failing::once, round), 0);
}

}  // namespace
}  // namespace martlet::broker
