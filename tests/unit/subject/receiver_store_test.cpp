// SPDX-License-Identifier: Apache-2.0
//
// Goal: a node's receivers take each of their three forms and leave them again, entries know their
// place. Method: fixed steps over the forms, then a crowd that comes and goes; heap bytes and
// objects at the end.
#include "subject/receiver_store.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "base/random.hpp"
#include "subject/node_store.hpp"

namespace martlet::subject {
namespace {

class ReceiverStoreTest : public testing::Test {
 protected:
  ReceiverStoreTest() : node_(*nodes_.at(nodes_.make_node("subject"))) {}

  void add(uint32_t name_id, TrieEntry& entry) {
    ASSERT_TRUE(receivers_.add(node_, name_id, entry));
  }
  ReceiverKind kind() const { return ReceiverStore::kind_of(node_); }

  HeapAccount heap_;
  TokenHash hash_{1};
  SlabArena arena_{heap_};
  NodeStore nodes_{heap_, arena_, hash_};
  ReceiverStore receivers_{heap_, arena_, hash_};
  TrieNode& node_;
};

TEST_F(ReceiverStoreTest, one_plain_entry_stands_in_the_node) {
  TrieEntry entry;
  add(QueueNames::none, entry);
  EXPECT_EQ(kind(), ReceiverKind::entry);
  EXPECT_EQ(ReceiverStore::entry_of(node_), &entry);
  EXPECT_EQ(entry.node, &node_);
  receivers_.remove(entry);
  EXPECT_EQ(node_.receivers, 0U);
  EXPECT_EQ(entry.node, nullptr);
}

TEST_F(ReceiverStoreTest, one_group_stands_in_the_node) {
  TrieEntry entries[3];
  for (TrieEntry& entry : entries) add(7, entry);
  EXPECT_EQ(kind(), ReceiverKind::group);
  EXPECT_EQ(receivers_.group_of(node_)->members.size(), 3U);
  EXPECT_EQ(receivers_.find_group(node_, 7), receivers_.group_of(node_));
  EXPECT_EQ(receivers_.find_group(node_, 8), nullptr);
  receivers_.remove(entries[0]);
  EXPECT_EQ(entries[2].index, 0U) << "the last fills the hole";
  receivers_.remove(entries[2]);
  receivers_.remove(entries[1]);
  EXPECT_EQ(node_.receivers, 0U);
  EXPECT_EQ(receivers_.group_count(), 0U);
}

TEST_F(ReceiverStoreTest, a_set_becomes_simple_again) {
  TrieEntry plain[2];
  TrieEntry grouped[2];
  add(QueueNames::none, plain[0]);
  add(0, grouped[0]);
  EXPECT_EQ(kind(), ReceiverKind::set);
  receivers_.remove(plain[0]);
  EXPECT_EQ(kind(), ReceiverKind::group);
  add(1, grouped[1]);
  EXPECT_EQ(kind(), ReceiverKind::set);
  receivers_.remove(grouped[0]);
  EXPECT_EQ(kind(), ReceiverKind::group);
  add(QueueNames::none, plain[0]);
  add(QueueNames::none, plain[1]);
  receivers_.remove(grouped[1]);
  EXPECT_EQ(kind(), ReceiverKind::set);
  receivers_.remove(plain[0]);
  EXPECT_EQ(kind(), ReceiverKind::entry);
  EXPECT_EQ(ReceiverStore::entry_of(node_), &plain[1]);
  EXPECT_EQ(plain[1].index, 0U);
  receivers_.remove(plain[1]);
  EXPECT_EQ(arena_.objects(), 1U) << "the node alone";
}

TEST_F(ReceiverStoreTest, a_crowd_comes_and_goes) {
  std::vector<TrieEntry> entries(5'000);
  Random random(4);
  for (int i = 0; i < 30'000; ++i) {
    TrieEntry& entry = entries[random.below(static_cast<uint32_t>(entries.size()))];
    if (entry.node != nullptr) {
      receivers_.remove(entry);
    } else {
      const uint32_t name_id = random.below(600);
      add(name_id < 100 ? QueueNames::none : name_id, entry);
    }
  }
  ASSERT_EQ(kind(), ReceiverKind::set);
  const ReceiverSet& set = *receivers_.set_of(node_);
  for (uint32_t i = 0; i < set.plain.size(); ++i) ASSERT_EQ(set.plain[i]->index, i);
  for (uint32_t g = 0; g < set.groups.size(); ++g) {
    ASSERT_EQ(set.groups[g]->place, g);
    ASSERT_EQ(receivers_.find_group(node_, set.groups[g]->name_id), set.groups[g]);
    for (uint32_t i = 0; i < set.groups[g]->members.size(); ++i) {
      ASSERT_EQ(set.groups[g]->members[i]->index, i);
      ASSERT_EQ(set.groups[g]->members[i]->group, set.groups[g]);
    }
  }
  for (TrieEntry& entry : entries) {
    if (entry.node != nullptr) receivers_.remove(entry);
  }
  EXPECT_EQ(node_.receivers, 0U);
  EXPECT_EQ(arena_.objects(), 1U);
}

}  // namespace
}  // namespace martlet::subject
