// SPDX-License-Identifier: Apache-2.0
//
// Goal: the table finds what is in it and nothing else through any growth, shrinking and removal,
// with hashes that collide. Method: random changes beside std::map, hashes drawn from few values
// and from the edges of the table.
#include "subject/slot_table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "base/random.hpp"

namespace martlet::subject {
namespace {

uint32_t find(const SlotTable& table, uint32_t hash, uint32_t index) {
  return table.find(hash, [index](uint32_t candidate) { return candidate == index; });
}

void add(SlotTable& table, HeapAccount& heap, uint32_t hash, uint32_t index) {
  ASSERT_TRUE(table.reserve(1, heap));
  table.insert(hash, index);
}

TEST(SlotTable, a_single_one_needs_no_heap) {
  HeapAccount heap;
  SlotTable table;
  EXPECT_EQ(find(table, 5, 1), 0U);
  add(table, heap, 5, 1);
  EXPECT_EQ(find(table, 5, 1), 1U);
  EXPECT_EQ(find(table, 6, 1), 0U);
  EXPECT_EQ(heap.bytes_held(), 0U);
  add(table, heap, 5, 2);
  EXPECT_GT(heap.bytes_held(), 0U);
  table.erase(5, 1, heap);
  EXPECT_EQ(heap.bytes_held(), 0U);
  EXPECT_EQ(find(table, 5, 1), 0U);
  EXPECT_EQ(find(table, 5, 2), 2U);
  table.replace(5, 2, 3);
  EXPECT_EQ(find(table, 5, 3), 3U);
}

void run(uint64_t seed, uint32_t hash_total, uint32_t size_wanted) {
  Random random(seed);
  HeapAccount heap;
  SlotTable table;
  std::map<uint32_t, uint32_t> hash_of;  // By index.
  for (int i = 0; i < 3000; ++i) {
    const uint32_t index = 1 + random.below(size_wanted);
    const auto there = hash_of.find(index);
    if (there == hash_of.end()) {
      // Some at the very end of the table, so that runs go round to its start.
      const uint32_t hash = random.below(2) == 0 ? UINT32_MAX - random.below(hash_total)
                                                 : random.below(hash_total) << 20;
      add(table, heap, hash, index);
      hash_of[index] = hash;
    } else if (random.below(4) == 0) {
      table.replace(there->second, index, index + size_wanted);
      ASSERT_EQ(find(table, there->second, index + size_wanted), index + size_wanted);
      table.replace(there->second, index + size_wanted, index);
    } else {
      table.erase(there->second, index, heap);
      ASSERT_EQ(find(table, there->second, index), 0U);
      hash_of.erase(there);
    }
    ASSERT_EQ(table.count(), hash_of.size());
    if (i % 50 == 0) {
      for (const auto& [known, hash] : hash_of)
        ASSERT_EQ(find(table, hash, known), known) << "seed " << seed;
    }
  }
  size_t visited = 0;
  table.for_each([&](uint32_t index) { visited += hash_of.count(index); });
  EXPECT_EQ(visited, hash_of.size());
  while (!hash_of.empty()) {
    table.erase(hash_of.begin()->second, hash_of.begin()->first, heap);
    hash_of.erase(hash_of.begin());
  }
  EXPECT_EQ(heap.bytes_held(), 0U);
}

TEST(SlotTable, agrees_with_a_map) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    run(seed, 1, 12);
    run(seed, 3, 40);
    run(seed, 1000, 300);
  }
}

TEST(SlotTable, follows_its_count_down) {
  HeapAccount heap;
  SlotTable table;
  for (uint32_t index = 1; index <= 10'000; ++index) add(table, heap, index * 0x9e3779b9U, index);
  const size_t bytes_full = heap.bytes_held();
  EXPECT_LE(bytes_full, 8 * size_t{32'768});
  for (uint32_t index = 10'000; index > 100; --index) table.erase(index * 0x9e3779b9U, index, heap);
  EXPECT_LE(heap.bytes_held(), 16 * 8 * size_t{100});
  for (uint32_t index = 1; index <= 100; ++index)
    EXPECT_EQ(find(table, index * 0x9e3779b9U, index), index);
  table.clear(heap);
  EXPECT_EQ(heap.bytes_held(), 0U);
}

}  // namespace
}  // namespace martlet::subject
