// SPDX-License-Identifier: Apache-2.0
//
// Goal: a block fills from both ends and refuses what does not fit; a batch keeps its block alive.
#include "client/completion_block.hpp"

#include <gtest/gtest.h>

#include <cstring>

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
