// SPDX-License-Identifier: Apache-2.0
//
// Goal: entries leave in the order of their arrival whatever was dropped between them, in blocks
// and in a caller's buffer. Method: append, drop at random places, compare with a list. The run
// with chance prints its seed and takes one from MARTLET_TEST_SEED.
#include "client/completion_store.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace martlet::client {
namespace {

class CompletionStoreTest : public testing::Test {
 protected:
  uint64_t append(FeedAccount* account, std::string_view data) {
    Completion c;
    c.subject = "s";
    c.data = data;
    const uint64_t id = store_.next_id();
    EXPECT_TRUE(store_.append(c, account));
    return id;
  }
  std::vector<std::string> take_all() {
    std::vector<std::string> all;
    for (;;) {
      const Batch batch = store_.take(UINT32_MAX);
      if (batch.count() == 0) return all;
      for (int32_t i = 0; i < batch.count(); ++i) all.emplace_back(batch.data(i));
    }
  }
  const QueueOptions options_;
  FeedAccounts accounts_{options_};
  CompletionStore store_{accounts_};
};

using Strings = std::vector<std::string>;

TEST_F(CompletionStoreTest, DropsByIdOnceAndOnlyWhatStillWaits) {
  FeedAccount* const account = accounts_.open({}, 1, 0);
  const uint64_t first = append(account, "1");
  const uint64_t second = append(account, "2");
  append(account, "3");
  EXPECT_EQ(store_.take(1).data(0), "1");
  EXPECT_FALSE(store_.drop(first));
  EXPECT_TRUE(store_.drop(second));
  EXPECT_FALSE(store_.drop(second));
  EXPECT_FALSE(store_.drop(store_.next_id()));
  EXPECT_EQ(take_all(), (Strings{"3"}));
  EXPECT_EQ(accounts_.messages(), 0);
  EXPECT_EQ(accounts_.bytes(), 0);
}

TEST_F(CompletionStoreTest, TheOldestOfASubscriptionIsDropped) {
  FeedAccount* const account = accounts_.open({}, 1, 0);
  append(nullptr, "event");
  EXPECT_FALSE(store_.drop_oldest().found);
  append(account, "1");
  append(account, "2");
  CompletionStore::Dropped dropped = store_.drop_oldest();
  EXPECT_TRUE(dropped.found);
  EXPECT_EQ(dropped.loser, account);
  accounts_.close(account);
  dropped = store_.drop_oldest();
  EXPECT_TRUE(dropped.found);
  EXPECT_EQ(dropped.loser, nullptr) << "its account went with it";
  EXPECT_EQ(take_all(), (Strings{"event"}));
}

TEST_F(CompletionStoreTest, FillsUpToTheBufferAndSaysWhatTheFirstNeeds) {
  append(nullptr, "12345");
  append(nullptr, "6");
  alignas(8) char buffer[256];
  CompletionStore::Filled filled = store_.fill(buffer, 69, 0);
  EXPECT_EQ(filled.count, 0);
  EXPECT_EQ(filled.bytes_needed, 64 + 6);
  filled = store_.fill(buffer, 70, 0);
  EXPECT_EQ(filled.count, 1);
  EXPECT_EQ(filled.bytes, 70);
  filled = store_.fill(buffer, sizeof buffer, 0);
  EXPECT_EQ(filled.count, 1);
  const auto* d = reinterpret_cast<const CompletionDescriptor*>(buffer);
  EXPECT_EQ(std::string_view(buffer + d->data_offset, 1), "6");
  EXPECT_EQ(store_.fill(buffer, sizeof buffer, 0).count, 0);
}

TEST_F(CompletionStoreTest, WhatRemainsKeepsItsOrderWhateverIsDropped) {
  const char* const given = std::getenv("MARTLET_TEST_SEED");
  const uint32_t seed = given != nullptr ? static_cast<uint32_t>(std::strtoul(given, nullptr, 10))
                                         : std::random_device()();
  SCOPED_TRACE("MARTLET_TEST_SEED=" + std::to_string(seed));
  std::mt19937 engine(seed);
  const auto random = [&engine] { return static_cast<uint32_t>(engine()); };
  FeedAccount* const account = accounts_.open({}, 1, 0);
  std::map<uint64_t, std::string> waiting;
  alignas(8) static char buffer[8192];
  for (int step = 0; step < 20000; ++step) {
    const uint32_t choice = random() % 100;
    if (choice < 60) {
      const std::string data =
          std::to_string(step) + std::string(random() % 2000, 'x');  // Often enough to compact.
      waiting[append(account, data)] = data;
    } else if (choice < 97 && !waiting.empty()) {
      const auto victim =
          waiting.lower_bound(waiting.begin()->first +
                              random() % (waiting.rbegin()->first - waiting.begin()->first + 1));
      ASSERT_TRUE(store_.drop(victim->first));
      waiting.erase(victim);
    } else if (choice < 99) {
      const Batch batch = store_.take(1 + random() % 20);
      ASSERT_EQ(batch.count() == 0, waiting.empty());
      for (int32_t i = 0; i < batch.count(); ++i) {
        ASSERT_EQ(batch.data(i), waiting.begin()->second);
        waiting.erase(waiting.begin());
      }
    } else {
      const CompletionStore::Filled filled = store_.fill(buffer, sizeof buffer, 0);
      for (int32_t i = 0; i < filled.count; ++i) {
        const CompletionDescriptor& d = reinterpret_cast<const CompletionDescriptor*>(buffer)[i];
        ASSERT_EQ(std::string_view(buffer + d.data_offset, static_cast<size_t>(d.data_bytes)),
                  waiting.begin()->second);
        waiting.erase(waiting.begin());
      }
    }
    ASSERT_EQ(accounts_.messages(), static_cast<int64_t>(waiting.size()));
  }
  Strings rest;
  for (const auto& [id, data] : waiting) rest.push_back(data);
  EXPECT_EQ(take_all(), rest);
}

}  // namespace
}  // namespace martlet::client
