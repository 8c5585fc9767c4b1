// SPDX-License-Identifier: Apache-2.0
//
// Goal: each policy does what it says at the account's and at the queue's bound, and who was
// stopped hears of room exactly once. Method: offer by hand; the queue's tests do the same through
// the lock.
#include "client/feed_gate.hpp"

#include <gtest/gtest.h>

#include <string>

namespace martlet::client {
namespace {

struct Source final : FeedSource {
  void on_queue_room() override {}
};

class FeedGateTest : public testing::Test {
 protected:
  FeedVerdict offer(FeedAccount* account, std::string_view subject, std::string_view data) {
    Completion c;
    c.subject = subject;
    c.data = data;
    return gate_.offer(c, account, &source_);
  }
  std::string take_all() {
    std::string all;
    for (;;) {
      const Batch batch = store_.take(UINT32_MAX);
      if (batch.count() == 0) return all;
      for (int32_t i = 0; i < batch.count(); ++i) {
        all += batch.kind(i) == CompletionKind::message ? std::string(batch.data(i)) : "!";
      }
    }
  }
  QueueOptions options_{8, 1 << 20, FullPolicy::block_reader, 0};
  FeedAccounts accounts_{options_};
  CompletionStore store_{accounts_};
  FeedGate gate_{options_, accounts_, store_};
  Source source_;
};

TEST_F(FeedGateTest, RefusesTheNewAndTellsOnce) {
  FeedAccount* const account = accounts_.open({2, 0, FullPolicy::refuse_new}, 1, 0);
  EXPECT_EQ(offer(account, "s", "1"), FeedVerdict::taken);
  EXPECT_EQ(offer(account, "s", "2"), FeedVerdict::taken);
  EXPECT_EQ(offer(account, "s", "3"), FeedVerdict::refused);
  EXPECT_EQ(offer(account, "s", "4"), FeedVerdict::refused);
  EXPECT_EQ(account->dropped_total, 2);
  EXPECT_EQ(take_all(), "12!");
}

TEST_F(FeedGateTest, DropsTheOldestOfTheAccount) {
  FeedAccount* const account = accounts_.open({4, 0, FullPolicy::drop_oldest}, 1, 0);
  for (const char* data : {"1", "2", "3", "4", "5", "6"})
    EXPECT_EQ(offer(account, "s", data), FeedVerdict::taken);
  EXPECT_EQ(account->dropped_total, 2);
  EXPECT_EQ(take_all(), "34!56");
}

TEST_F(FeedGateTest, DropsTheOldestOfTheQueue) {
  options_.full_policy = FullPolicy::drop_oldest;
  options_.messages_max = 3;
  FeedAccount* const a = accounts_.open({}, 1, 0);
  FeedAccount* const b = accounts_.open({}, 2, 0);
  for (const char* data : {"1", "2", "3"}) offer(a, "s", data);
  EXPECT_EQ(offer(b, "s", "4"), FeedVerdict::taken);
  EXPECT_GT(a->dropped_total, 0);
  EXPECT_EQ(b->dropped_total, 0);
  EXPECT_TRUE(take_all().ends_with("4"));
}

TEST_F(FeedGateTest, KeepsTheLatestOfEachSubject) {
  FeedAccount* const account =
      accounts_.open({2, 0, FullPolicy::keep_latest_of_each_subject}, 1, 0);
  EXPECT_EQ(offer(account, "a", "1"), FeedVerdict::taken);
  EXPECT_EQ(offer(account, "b", "2"), FeedVerdict::taken);
  EXPECT_EQ(offer(account, "a", "3"), FeedVerdict::taken);
  EXPECT_EQ(offer(account, "c", "4"), FeedVerdict::refused);
  EXPECT_EQ(take_all(), "23!");
}

TEST_F(FeedGateTest, TheLatestIsNotLostToOneThatIsRefused) {
  FeedAccount* const account =
      accounts_.open({0, 2 * entry_bytes(2), FullPolicy::keep_latest_of_each_subject}, 1, 0);
  EXPECT_EQ(offer(account, "a", "1"), FeedVerdict::taken);
  EXPECT_EQ(offer(account, "b", "2"), FeedVerdict::taken);
  EXPECT_EQ(offer(account, "a", "large"), FeedVerdict::refused);
  EXPECT_EQ(offer(account, "a", "3"), FeedVerdict::taken);
  EXPECT_EQ(take_all(), "2!3");
}

TEST_F(FeedGateTest, WhoIsStoppedHearsOfRoomOnce) {
  FeedAccount* const account = accounts_.open({2, 0, FullPolicy::block_reader}, 1, 0);
  offer(account, "s", "1");
  offer(account, "s", "2");
  EXPECT_EQ(offer(account, "s", "3"), FeedVerdict::blocked);
  EXPECT_EQ(offer(account, "s", "3"), FeedVerdict::blocked);
  EXPECT_TRUE(gate_.is_anybody_blocked());
  EXPECT_TRUE(gate_.take_ready().empty());
  store_.take(1);
  EXPECT_EQ(gate_.take_ready(), (std::vector<FeedSource*>{&source_}));
  EXPECT_TRUE(gate_.take_ready().empty());
  EXPECT_FALSE(gate_.is_anybody_blocked());
}

TEST_F(FeedGateTest, WhoWaitsForAClosedAccountWaitsForTheQueueAlone) {
  FeedAccount* const account = accounts_.open({1, 0, FullPolicy::block_reader}, 1, 0);
  offer(account, "s", "1");
  EXPECT_EQ(offer(account, "s", "2"), FeedVerdict::blocked);
  EXPECT_TRUE(gate_.take_ready().empty());
  gate_.forget_account(account);
  accounts_.close(account);
  EXPECT_EQ(gate_.take_ready(), (std::vector<FeedSource*>{&source_}));
}

TEST_F(FeedGateTest, AForgottenSourceHearsNothing) {
  FeedAccount* const account = accounts_.open({1, 0, FullPolicy::block_reader}, 1, 0);
  offer(account, "s", "1");
  offer(account, "s", "2");
  gate_.forget_source(&source_);
  EXPECT_EQ(take_all(), "1");
  EXPECT_TRUE(gate_.take_ready().empty());
}

TEST_F(FeedGateTest, EventsAreTakenFarAboveTheBoundAndTheEndAlways) {
  Completion event;
  event.kind = CompletionKind::log_line;
  int taken = 0;
  for (int i = 0; i < 5000; ++i) taken += gate_.add(event) ? 1 : 0;
  EXPECT_EQ(taken, 8 + 1024);
  event.kind = CompletionKind::closed;
  EXPECT_TRUE(gate_.add(event));
}

}  // namespace
}  // namespace martlet::client
