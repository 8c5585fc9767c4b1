// SPDX-License-Identifier: Apache-2.0
//
// Goal: labels of every length and their change, long paths, merging, linear clearing. Method:
// fixed steps; the texts and the count of heap bytes are the judges.
#include "subject/node_store.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace martlet::subject {
namespace {

class NodeStoreTest : public testing::Test {
 protected:
  uint32_t hang(uint32_t parent, std::string_view label) {
    const uint32_t made = nodes_.make_node(label);
    EXPECT_NE(made, 0U);
    EXPECT_TRUE(nodes_.reserve_children(parent, 1));
    nodes_.link(parent, made);
    return made;
  }

  std::string_view label(uint32_t index) const { return nodes_.at(index)->label(); }

  HeapAccount heap_;
  TokenHash hash_{1};
  SlabArena arena_{heap_};
  NodeStore nodes_{heap_, arena_, hash_};
};

TEST_F(NodeStoreTest, a_label_of_any_length_can_become_any_other) {
  const std::string text(600, 'x');
  for (const size_t before : {1, 14, 15, 30, 31, 237, 238, 239, 254, 255, 256, 257, 600}) {
    for (const size_t after : {1, 13, 14, 15, 200, 238, 239, 255, 256, 599, 600}) {
      const uint32_t index = nodes_.make_node(std::string_view(text).substr(0, before));
      ASSERT_NE(index, 0U);
      ASSERT_EQ(label(index), text.substr(0, before));
      ASSERT_TRUE(nodes_.set_label(*nodes_.at(index), std::string_view(text).substr(0, after)));
      ASSERT_EQ(label(index), text.substr(0, after)) << before << " to " << after;
      nodes_.release_path(index);
    }
  }
  EXPECT_EQ(nodes_.node_count(), 0U);
  EXPECT_EQ(arena_.objects(), 0U);
}

TEST_F(NodeStoreTest, a_label_may_become_a_part_of_itself) {
  for (const size_t bytes : {10, 100, 400}) {
    std::string text;
    for (size_t i = 0; i < bytes; ++i) text += static_cast<char>('a' + i % 26);
    const uint32_t index = nodes_.make_node(text);
    for (const size_t cut : {1, 3, 5}) {
      ASSERT_TRUE(nodes_.set_label(*nodes_.at(index), label(index).substr(cut)));
      text = text.substr(cut);
      ASSERT_EQ(label(index), text);
    }
    nodes_.release_path(index);
  }
}

TEST_F(NodeStoreTest, a_label_knows_its_wildcards) {
  for (const std::string_view text : {"*", ">", "a.*", "a.*.b", "b.>"}) {
    const uint32_t index = nodes_.make_node(text);
    EXPECT_TRUE(nodes_.at(index)->has_wildcard()) << text;
    ASSERT_TRUE(nodes_.set_label(*nodes_.at(index), "c"));
    EXPECT_FALSE(nodes_.at(index)->has_wildcard());
    nodes_.release_path(index);
  }
}

TEST_F(NodeStoreTest, label_fit_takes_whole_tokens) {
  const std::string token(100, 't');
  EXPECT_EQ(NodeStore::label_fit("a.b.c"), 5U);
  EXPECT_EQ(NodeStore::label_fit(token + "." + token + "." + token), 201U);
  EXPECT_EQ(NodeStore::label_fit(std::string(238, 't') + ".a"), 238U);
  EXPECT_EQ(NodeStore::label_fit(std::string(239, 't') + ".a"), 239U);
  EXPECT_EQ(NodeStore::label_fit(std::string(5000, 't')), 5000U);
}

TEST_F(NodeStoreTest, a_path_spells_its_pattern) {
  std::string pattern = "first";
  for (int i = 0; i < 500; ++i) pattern += ".token" + std::to_string(i);
  pattern += "." + std::string(700, 'l') + ".*.>";
  uint32_t last = 0;
  const uint32_t first = nodes_.make_path(pattern, last);
  ASSERT_NE(first, 0U);
  std::string spelled(label(last));
  for (uint32_t up = last; up != first;) {
    up = nodes_.at(up)->parent;
    spelled = std::string(label(up)) + "." + spelled;
  }
  EXPECT_EQ(spelled, pattern);
  nodes_.release_path(first);
  EXPECT_EQ(arena_.objects(), 0U);
}

TEST_F(NodeStoreTest, children_are_found_by_text) {
  const uint32_t literal = hang(NodeStore::root, "a.b");
  const uint32_t star = hang(NodeStore::root, "*.c");
  const uint32_t rest = hang(NodeStore::root, ">");
  const uint32_t longer = hang(NodeStore::root, "ab");
  const Branch& branch = *nodes_.branch_of(NodeStore::root);
  EXPECT_EQ(nodes_.child_by_text(branch, "a"), literal);
  EXPECT_EQ(nodes_.child_by_text(branch, "ab"), longer);
  EXPECT_EQ(nodes_.child_by_text(branch, "*"), star);
  EXPECT_EQ(nodes_.child_by_text(branch, ">"), rest);
  EXPECT_EQ(nodes_.child_by_text(branch, "abc"), 0U);
  EXPECT_EQ(nodes_.literal_child(branch, "*"), 0U);
  EXPECT_EQ(branch.count(), 4U);
  EXPECT_EQ(nodes_.unlink(*nodes_.at(star)), star);
  EXPECT_EQ(nodes_.child_by_text(branch, "*"), 0U);
  nodes_.release_path(star);
}

TEST_F(NodeStoreTest, a_node_merges_into_its_only_child_where_the_label_allows) {
  const uint32_t upper = hang(NodeStore::root, "a");
  const uint32_t lower = hang(upper, std::string(100, 'b'));
  nodes_.try_merge_into_child(*nodes_.at(upper));
  EXPECT_EQ(label(lower), "a." + std::string(100, 'b'));
  EXPECT_EQ(nodes_.child_by_text(*nodes_.branch_of(NodeStore::root), "a"), lower);
  EXPECT_EQ(nodes_.node_count(), 1U);
  const uint32_t too_long = hang(lower, std::string(140, 'c'));
  nodes_.try_merge_into_child(*nodes_.at(lower));
  EXPECT_EQ(nodes_.node_count(), 2U);
  EXPECT_EQ(label(too_long), std::string(140, 'c'));
}

TEST_F(NodeStoreTest, clear_releases_every_node_once) {
  for (int i = 0; i < 20'000; ++i) {
    const uint32_t child = hang(NodeStore::root, "n" + std::to_string(i));
    if (i % 3 == 0) hang(child, "*.x");
    if (i % 5 == 0) hang(child, ">");
  }
  uint64_t visited = 0;
  const uint64_t nodes = nodes_.node_count();
  nodes_.clear([&visited](TrieNode&) { ++visited; });
  EXPECT_EQ(visited, nodes);
  EXPECT_EQ(nodes_.node_count(), 0U);
  EXPECT_EQ(nodes_.branch_count(), 0U);
  EXPECT_EQ(arena_.objects(), 0U);
}

}  // namespace
}  // namespace martlet::subject
