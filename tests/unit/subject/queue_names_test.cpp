// SPDX-License-Identifier: Apache-2.0
//
// Goal: a name has one number while it has users, the number is small, nothing stays when all have
// gone. Method: fixed steps, then random users beside std::map.
#include "subject/queue_names.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/random.hpp"

namespace martlet::subject {
namespace {

TEST(QueueNames, one_number_for_each_name_in_use) {
  HeapAccount heap;
  const TokenHash hash(1);
  QueueNames names(heap, hash);
  const uint32_t first = names.acquire("workers");
  const uint32_t second = names.acquire("others");
  EXPECT_EQ(first, 0U);
  EXPECT_EQ(second, 1U);
  EXPECT_EQ(names.acquire("workers"), first);
  EXPECT_EQ(names.users(first), 2U);
  EXPECT_EQ(names.text(first), "workers");
  names.release(first);
  EXPECT_EQ(names.text(first), "workers");
  names.release(first);
  EXPECT_EQ(names.count(), 1U);
  EXPECT_EQ(names.acquire("third"), first) << "the number is free again";
  names.release(first);
  names.release(second);
  EXPECT_EQ(heap.bytes_held(), 0U);
  EXPECT_EQ(names.ids_end(), 0U);
}

TEST(QueueNames, any_bytes_are_a_name) {
  HeapAccount heap;
  const TokenHash hash(1);
  QueueNames names(heap, hash);
  const std::string long_name(100'000, 'n');
  const uint32_t id = names.acquire(long_name);
  EXPECT_EQ(names.text(id), long_name);
  EXPECT_NE(names.acquire(std::string_view("\0", 1)), names.acquire(std::string_view("\0\0", 2)));
}

TEST(QueueNames, agrees_with_a_map) {
  HeapAccount heap;
  const TokenHash hash(1);
  {
    QueueNames names(heap, hash);
    Random random(11);
    std::map<std::string, std::pair<uint32_t, uint32_t>> known;  // Number and users.
    for (int i = 0; i < 20'000; ++i) {
      const std::string name = "name" + std::to_string(random.below(300));
      const auto there = known.find(name);
      if (random.below(2) == 0) {
        const uint32_t id = names.acquire(name);
        ASSERT_LT(id, 300U);
        ASSERT_LT(id, names.ids_end());
        ASSERT_TRUE(there == known.end() || id == there->second.first);
        known[name].first = id;
        ++known[name].second;
      } else if (there != known.end()) {
        ASSERT_EQ(names.text(there->second.first), name);
        names.release(there->second.first);
        if (--there->second.second == 0) known.erase(there);
      }
      ASSERT_EQ(names.count(), known.size());
    }
  }
  EXPECT_EQ(heap.bytes_held(), 0U);
}

}  // namespace
}  // namespace martlet::subject
