// SPDX-License-Identifier: Apache-2.0
//
// Goal: the books add up, for the queue and for each account, and say truly who is over a bound and
// where half of it is free. Method: enter and leave by hand.
#include "client/feed_accounts.hpp"

#include <gtest/gtest.h>

namespace martlet::client {
namespace {

class FeedAccountsTest : public testing::Test {
 protected:
  QueueOptions options_{4, 1000, FullPolicy::block_reader, 0};
  FeedAccounts accounts_{options_};
};

TEST_F(FeedAccountsTest, TheQueuesBoundCountsEverything) {
  FeedAccount* const account = accounts_.open({}, 1, 0);
  EXPECT_FALSE(accounts_.is_queue_over(5000, {})) << "one message is never too large by itself";
  accounts_.enter(account, 1, 600, "a");
  EXPECT_TRUE(accounts_.is_queue_over(401, {}));
  EXPECT_FALSE(accounts_.is_queue_over(400, {}));
  EXPECT_FALSE(accounts_.has_room(nullptr)) << "600 of 1000 bytes";
  accounts_.enter(nullptr, 2, 10, "b");
  EXPECT_EQ(accounts_.messages(), 2);
  EXPECT_EQ(accounts_.bytes(), 610);
  EXPECT_EQ(account->messages, 1);
  accounts_.leave(account, 1, 600, "a");
  EXPECT_TRUE(accounts_.has_room(nullptr));
  EXPECT_EQ(account->bytes, 0);
  for (uint64_t id = 3; id < 6; ++id) accounts_.enter(nullptr, id, 1, "c");
  EXPECT_TRUE(accounts_.is_queue_over(0, {}));
}

TEST_F(FeedAccountsTest, AnAccountsBoundIsItsOwn) {
  FeedAccount* const account = accounts_.open({2, 100, FullPolicy::refuse_new}, 1, 0);
  EXPECT_FALSE(accounts_.is_account_over(*account, 101, {}));
  accounts_.enter(account, 1, 60, "a");
  EXPECT_TRUE(accounts_.is_account_over(*account, 41, {}));
  EXPECT_FALSE(accounts_.is_account_over(*account, 40, {}));
  account->slow = true;
  accounts_.enter(account, 2, 10, "a");
  EXPECT_TRUE(accounts_.is_account_over(*account, 0, {}));
  accounts_.leave(account, 2, 10, "a");
  EXPECT_TRUE(account->slow) << "60 of 100 bytes still wait";
  accounts_.leave(account, 1, 60, "a");
  EXPECT_FALSE(account->slow);
}

TEST_F(FeedAccountsTest, ThePoliciesThatDropRememberWhatWaits) {
  FeedAccount* const oldest = accounts_.open({9, 0, FullPolicy::drop_oldest}, 1, 0);
  FeedAccount* const latest = accounts_.open({9, 0, FullPolicy::keep_latest_of_each_subject}, 2, 0);
  accounts_.enter(oldest, 1, 1, "a");
  accounts_.enter(oldest, 2, 1, "a");
  accounts_.enter(latest, 3, 1, "a");
  accounts_.enter(latest, 4, 1, "b");
  EXPECT_EQ(oldest->order.front(), 1u);
  accounts_.leave(oldest, 1, 1, "a");
  EXPECT_EQ(oldest->order.front(), 2u);
  EXPECT_EQ(latest->latest.at("a"), 3u);
  accounts_.leave(latest, 3, 1, "a");
  EXPECT_FALSE(latest->latest.contains("a"));
  EXPECT_EQ(latest->latest.at("b"), 4u);
  EXPECT_TRUE(oldest->latest.empty());
  EXPECT_TRUE(latest->order.empty());
}

// That the account is freed, and not too early, is AddressSanitizer's to see.
TEST_F(FeedAccountsTest, AClosedAccountGoesWithItsLastEntry) {
  FeedAccount* const account = accounts_.open({}, 1, 0);
  accounts_.enter(account, 1, 10, "a");
  accounts_.close(account);
  EXPECT_EQ(account->messages, 1);
  accounts_.leave(account, 1, 10, "a");
  EXPECT_EQ(accounts_.messages(), 0);
  accounts_.close(accounts_.open({}, 2, 0));
}

}  // namespace
}  // namespace martlet::client
