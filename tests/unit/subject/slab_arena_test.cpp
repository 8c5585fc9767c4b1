// SPDX-License-Identifier: Apache-2.0
//
// Goal: objects never overlap or move, slabs that are empty go back. Method: random making and
// releasing of all sizes, each object filled with its own number and read again; the count of heap
// bytes.
#include "subject/slab_arena.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "base/random.hpp"

namespace martlet::subject {
namespace {

struct Object {
  uint32_t index;
  uint32_t granules;
  unsigned char fill;
  void* address;
};

TEST(SlabArena, objects_keep_their_bytes_and_their_place) {
  HeapAccount heap;
  {
    SlabArena arena(heap);
    Random random(3);
    std::vector<Object> objects;
    for (int i = 0; i < 50'000; ++i) {
      const bool grows = (i / 10'000) % 2 == 0;
      if (objects.empty() || random.below(10) < (grows ? 7U : 3U)) {
        const uint32_t granules = 2 + random.below(random.below(4) == 0 ? 15 : 2);
        const uint32_t index = arena.allocate(granules);
        ASSERT_NE(index, 0U);
        objects.push_back({index, granules, static_cast<unsigned char>(i), arena.at(index)});
        std::memset(arena.at(index), static_cast<unsigned char>(i),
                    granules * SlabArena::granule_bytes);
      } else {
        const size_t at = random.below(static_cast<uint32_t>(objects.size()));
        const Object object = objects[at];
        ASSERT_EQ(arena.at(object.index), object.address);
        const unsigned char* const bytes = static_cast<const unsigned char*>(object.address);
        for (size_t b = 0; b < object.granules * SlabArena::granule_bytes; ++b)
          ASSERT_EQ(bytes[b], object.fill);
        arena.release(object.index);
        objects[at] = objects.back();
        objects.pop_back();
      }
      ASSERT_EQ(arena.objects(), objects.size());
    }
    EXPECT_GT(objects.size(), 100U);
  }
  EXPECT_EQ(heap.bytes_held(), 0U);
}

TEST(SlabArena, few_objects_cost_little_and_many_come_back) {
  HeapAccount heap;
  SlabArena arena(heap);
  std::vector<uint32_t> objects;
  objects.push_back(arena.allocate(2));
  EXPECT_LE(heap.bytes_held(), 1024U);
  for (int i = 0; i < 100'000; ++i) objects.push_back(arena.allocate(2));
  EXPECT_LE(heap.bytes_held(), 34 * size_t{100'000});
  for (const uint32_t index : objects) arena.release(index);
  // One slab stays for the next object, and the directory of slabs with it.
  EXPECT_LE(heap.bytes_held(), 64 * size_t{1024});
  EXPECT_EQ(arena.objects(), 0U);
}

TEST(SlabArena, a_slab_number_is_used_again) {
  HeapAccount heap;
  SlabArena arena(heap);
  uint32_t highest = 0;
  for (int round = 0; round < 200; ++round) {
    std::vector<uint32_t> objects;
    for (int i = 0; i < 500; ++i)
      objects.push_back(arena.allocate(2 + static_cast<uint32_t>(round % 15)));
    for (const uint32_t index : objects) highest = std::max(highest, index);
    for (const uint32_t index : objects) arena.release(index);
  }
  EXPECT_LT(highest, 1024U * 64U);
}

}  // namespace
}  // namespace martlet::subject
