// SPDX-License-Identifier: Apache-2.0
//
// Owns the layout of a node of the subscription trie and of its branch. A node stands for one or
// more whole tokens, its label; wildcards may be among them, since two patterns share a node only
// where their texts agree. What can grow stands apart: the branch (children) and the receivers, so
// that a leaf with a short label takes 32 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "subject/slab_arena.hpp"
#include "subject/slot_table.hpp"

namespace martlet::subject {

struct TrieNode {
  static constexpr size_t text_offset = 18;
  static constexpr size_t label_bytes_max =
      SlabArena::granules_max * SlabArena::granule_bytes - text_offset;
  static constexpr uint8_t wildcard_bit = 0x80;
  static constexpr uint8_t external_mark = 0xff;

  uint64_t receivers;   // receiver_store.hpp knows what it says; 0: none.
  uint32_t parent;      // 0: the root.
  uint32_t branch;      // 0: no children.
  uint8_t shape;        // Granules, and wildcard_bit when the label has a wildcard.
  uint8_t label_bytes;  // external_mark: an ExternalLabel stands in place of the text.
  char text[14];        // Goes on as far as the granules say.

  std::string_view label() const noexcept;
  bool has_wildcard() const noexcept { return (shape & wildcard_bit) != 0; }
  size_t inline_bytes_max() const noexcept {
    return size_t{static_cast<uint8_t>(shape & ~wildcard_bit)} * SlabArena::granule_bytes -
           text_offset;
  }
};
static_assert(offsetof(TrieNode, text) == TrieNode::text_offset);
static_assert(sizeof(TrieNode) == SlabArena::granules_min * SlabArena::granule_bytes);
static_assert(TrieNode::label_bytes_max < TrieNode::external_mark);

/// A label on the heap: a single token above label_bytes_max, or one that grew over its node when
/// two nodes merged. The node keeps its length and address; the block begins with its capacity, of
/// which the text need not use all.
struct ExternalLabel {
  static constexpr size_t bytes_offset = 2;  // In TrieNode::text, so that both fields are aligned.
  static constexpr size_t block_offset = 6;

  uint32_t bytes;
  char* block;

  static ExternalLabel of(const TrieNode& node) noexcept {
    ExternalLabel label;
    std::memcpy(&label.bytes, node.text + bytes_offset, sizeof label.bytes);
    std::memcpy(&label.block, node.text + block_offset, sizeof label.block);
    return label;
  }
  void put_in(TrieNode& node) const noexcept {
    node.label_bytes = TrieNode::external_mark;
    std::memcpy(node.text + bytes_offset, &bytes, sizeof bytes);
    std::memcpy(node.text + block_offset, &block, sizeof block);
  }
  uint32_t capacity() const noexcept {
    uint32_t capacity;
    std::memcpy(&capacity, block, sizeof capacity);
    return capacity;
  }
  static constexpr size_t block_bytes(uint32_t capacity) noexcept {
    return sizeof capacity + size_t{capacity};
  }
  char* text() const noexcept { return block + sizeof(uint32_t); }
};

inline std::string_view TrieNode::label() const noexcept {
  if (label_bytes != external_mark) return {text, label_bytes};
  const ExternalLabel external = ExternalLabel::of(*this);
  return {external.text(), external.bytes};
}

struct Branch {
  SlotTable literals;  // By the hash of the first token of the child's label.
  uint32_t star;       // The child whose label begins with the token `*`; 0: none.
  uint32_t rest;       // The child whose label is `>`.

  uint32_t count() const noexcept { return literals.count() + (star != 0) + (rest != 0); }
};
static_assert(sizeof(Branch) <= SlabArena::granules_min * SlabArena::granule_bytes);

}  // namespace martlet::subject
