// SPDX-License-Identifier: Apache-2.0
//
// Goal: a block fills from both ends and refuses what does not fit; a batch keeps its block alive.
#include "client/completion_block.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace martlet::client {
namespace {

TEST(CompletionBlock, FillsFromBothEndsUntilTheyMeet) {
  CompletionBlock* block = CompletionBlock::create(256);
  ASSERT_NE(block, nullptr);
  char* bytes = nullptr;
  EXPECT_EQ(block->append(193, &bytes), nullptr);
  CompletionDescriptor* first = block->append(100, &bytes);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(bytes, block->data() + 156);
  EXPECT_EQ(block->free_bytes(), 92u);
  EXPECT_EQ(block->append(29, &bytes), nullptr);
  CompletionDescriptor* second = block->append(28, &bytes);
  ASSERT_EQ(second, first + 1);
  EXPECT_EQ(bytes, block->data() + 128);
  EXPECT_EQ(block->free_bytes(), 0u);
  EXPECT_EQ(block->count(), 2u);
  block->release();
}

TEST(CompletionBlockPool, KeepsAFewEmptiedBlocksForTheirNextUse) {
  const auto pool = std::make_shared<CompletionBlockPool>();
  std::vector<CompletionBlock*> blocks;
  for (size_t i = 0; i < CompletionBlockPool::blocks_max + 2; ++i) {
    blocks.push_back(pool->take());
    ASSERT_NE(blocks.back(), nullptr);
    char* bytes = nullptr;
    ASSERT_NE(blocks.back()->append(100, &bytes), nullptr);
    blocks.back()->entries.push_back({i, nullptr, 164, false});
    blocks.back()->taken = blocks.back()->dropped = 1;
  }
  for (CompletionBlock* block : blocks) block->release();
  EXPECT_EQ(pool.use_count(), 1) << "a kept block must not keep its pool";
  const std::set<CompletionBlock*> before(blocks.begin(), blocks.end());
  blocks.clear();
  for (size_t i = 0; i < CompletionBlockPool::blocks_max; ++i) {
    blocks.push_back(pool->take());
    EXPECT_TRUE(before.contains(blocks.back()));
    EXPECT_EQ(blocks.back()->count(), 0u);
    EXPECT_EQ(blocks.back()->taken, 0u);
    EXPECT_EQ(blocks.back()->dropped, 0u);
    EXPECT_TRUE(blocks.back()->entries.empty());
    EXPECT_EQ(blocks.back()->free_bytes(), CompletionBlockPool::block_bytes);
  }
  EXPECT_EQ(std::set<CompletionBlock*>(blocks.begin(), blocks.end()).size(), blocks.size());
  for (CompletionBlock* block : blocks) block->release();
}

TEST(CompletionBlockPool, LivesUntilTheLastBatchIsLetGo) {
  auto pool = std::make_shared<CompletionBlockPool>();
  const std::weak_ptr<CompletionBlockPool> watch = pool;
  {
    CompletionBlock* const block = pool->take();
    const Batch batch(block, 0, 0);
    block->release();
    pool.reset();
    EXPECT_FALSE(watch.expired());
  }
  EXPECT_TRUE(watch.expired());
}

TEST(CompletionBlockPool, IsTakenFromWhileOtherThreadsGiveBack) {
  const auto pool = std::make_shared<CompletionBlockPool>();
  std::mutex mutex;
  std::deque<Batch> batches;
  constexpr int rounds = 5000;
  std::thread consumer([&] {
    for (int left = rounds; left > 0;) {
      Batch batch;
      {
        std::lock_guard<std::mutex> lock(mutex);
        if (batches.empty()) continue;
        batch = batches.front();
        batches.pop_front();
      }
      EXPECT_EQ(batch.data(0), "x");
      --left;
    }
  });
  for (int i = 0; i < rounds; ++i) {
    CompletionBlock* const block = pool->take();
    char* bytes = nullptr;
    CompletionDescriptor* const d = block->append(1, &bytes);
    *d = CompletionDescriptor{};
    d->data_offset = static_cast<int32_t>(bytes - block->data());
    d->data_bytes = 1;
    *bytes = 'x';
    {
      std::lock_guard<std::mutex> lock(mutex);
      batches.emplace_back(block, 0, 1);
    }
    block->release();
  }
  consumer.join();
}

TEST(Batch, KeepsItsBlockAlive) {
  CompletionBlock* block = CompletionBlock::create(256);
  ASSERT_NE(block, nullptr);
  char* bytes = nullptr;
  CompletionDescriptor* d = block->append(3, &bytes);
  *d = CompletionDescriptor{};
  d->subject_offset = static_cast<int32_t>(bytes - block->data());
  d->subject_bytes = 1;
  d->data_offset = d->subject_offset + 1;
  d->data_bytes = 2;
  std::memcpy(bytes, "abc", 3);
  Batch kept;
  {
    const Batch batch(block, 0, 1);
    kept = batch;
  }
  block->release();
  EXPECT_EQ(kept.subject(0), "a");
  EXPECT_EQ(kept.reply(0), "");
  EXPECT_EQ(kept.data(0), "bc");
}

}  // namespace
}  // namespace martlet::client
