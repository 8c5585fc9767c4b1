// SPDX-License-Identifier: Apache-2.0
//
// Goal: what every part of a connection relies on: events reach the program's queue, queues learn
// who drives them, waiting ends in time, and a subscription ends once. Method: the object by
// itself, without a connection.
#include "client/connection_shared.hpp"

#include <gtest/gtest.h>

#include "io/system_clock.hpp"

namespace martlet::client {
namespace {

class ConnectionSharedTest : public testing::Test {
 protected:
  std::unique_ptr<ConnectionShared> make(RunMode run, std::shared_ptr<CompletionQueue> events) {
    ConnectionOptions options;
    options.run = run;
    std::shared_ptr<DrivenLoop> loop = *DrivenLoop::create(clock_, run == RunMode::lent_loop);
    return std::make_unique<ConnectionShared>(options, std::move(events), 9, std::move(loop));
  }
  const io::SystemClock clock_;
  const std::shared_ptr<CompletionQueue> queue_ = *CompletionQueue::create(clock_);
};

TEST_F(ConnectionSharedTest, EventsGoToTheProgramsQueueOrNowhere) {
  make(RunMode::lent_loop, nullptr)->emit(CompletionKind::connected, ErrorCode::ok, "nobody");
  make(RunMode::lent_loop, queue_)->emit(CompletionKind::closed, ErrorCode::timeout, "late");
  const Batch batch = *queue_->poll(0, 0);
  ASSERT_EQ(batch.count(), 1);
  EXPECT_EQ(batch.kind(0), CompletionKind::closed);
  EXPECT_EQ(batch.descriptor(0).status, status_number(ErrorCode::timeout));
  EXPECT_EQ(batch.descriptor(0).cookie, 9);
  EXPECT_EQ(batch.data(0), "late");
}

TEST_F(ConnectionSharedTest, AQueueIsDrivenByOneLoopOfTheCallers) {
  const auto lent = make(RunMode::lent_loop, nullptr);
  EXPECT_TRUE(lent->bind_queue(queue_).is_ok());
  EXPECT_EQ(queue_->driver(), nullptr) << "who lends the loop turns it";
  const auto first = make(RunMode::driven_by_caller, nullptr);
  EXPECT_TRUE(first->bind_queue(queue_).is_ok());
  EXPECT_EQ(queue_->driver(), first->loop);
  EXPECT_TRUE(first->bind_queue(queue_).is_ok());
  const auto second = make(RunMode::driven_by_caller, nullptr);
  EXPECT_EQ(second->bind_queue(queue_).code(), ErrorCode::invalid_argument);
  const auto threaded = make(RunMode::own_thread, nullptr);
  EXPECT_TRUE(threaded->bind_queue(queue_).is_ok());
}

TEST_F(ConnectionSharedTest, WaitingEndsWithTheConditionOrTheTime) {
  const auto shared = make(RunMode::driven_by_caller, nullptr);
  int looks = 0;
  EXPECT_TRUE(shared->wait([&] { return ++looks >= 2; }, 0));
  EXPECT_FALSE(shared->wait([] { return false; }, ns_per_ms));
}

TEST_F(ConnectionSharedTest, TheEndHasAReasonOrIsPlain) {
  const auto shared = make(RunMode::lent_loop, nullptr);
  EXPECT_EQ(shared->end_status().code(), ErrorCode::closed);
  shared->end_reason = Error{ErrorCode::authorization, "who are you"};
  EXPECT_EQ(shared->end_status().code(), ErrorCode::authorization);
  EXPECT_EQ(shared->end_status().error().context, "who are you");
}

TEST_F(ConnectionSharedTest, ASubscriptionEndsOnce) {
  SubscriptionState subscription({}, queue_);
  subscription.sid = 3;
  subscription.subject = "a";
  SubscriptionState inbox({}, nullptr);
  FeedWriter writer;
  ConnectionShared::end_subscription_locked(subscription, ErrorCode::ok, writer);
  ConnectionShared::end_subscription_locked(subscription, ErrorCode::closed, writer);
  ConnectionShared::end_subscription_locked(inbox, ErrorCode::ok, writer);
  writer.finish();
  EXPECT_TRUE(subscription.ended);
  EXPECT_TRUE(inbox.ended);
  const Batch batch = *queue_->poll(0, 0);
  ASSERT_EQ(batch.count(), 1);
  EXPECT_EQ(batch.kind(0), CompletionKind::subscription_end);
  EXPECT_EQ(batch.descriptor(0).sid, 3);
  EXPECT_EQ(batch.descriptor(0).status, 0);
}

}  // namespace
}  // namespace martlet::client
