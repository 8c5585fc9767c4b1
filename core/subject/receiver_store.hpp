// SPDX-License-Identifier: Apache-2.0
//
// Owns who receives at a node: one plain entry or one queue group stand in the node itself, more of
// them in a ReceiverSet. Promises: adding and removing cost the same whatever the number of
// receivers and of groups; add changes nothing when memory is missing. Does not own the entries and
// counts no users of a group's name.
#pragma once

#include <cstdint>

#include "subject/heap_account.hpp"
#include "subject/pointer_list.hpp"
#include "subject/queue_names.hpp"
#include "subject/slab_arena.hpp"
#include "subject/slot_table.hpp"
#include "subject/subscription_trie.hpp"
#include "subject/token.hpp"
#include "subject/trie_node.hpp"

namespace martlet::subject {

/// The members of one queue group at one node. Lives while it has a member.
struct TrieGroup {
  PointerList<TrieEntry> members;
  uint32_t name_id;
  uint32_t place;  // In ReceiverSet::groups.
  uint32_t self;   // Its index in the arena.
  uint32_t hash;   // Of node and name, under which the table of groups has it.
};

struct ReceiverSet {
  PointerList<TrieEntry> plain;
  PointerList<TrieGroup> groups;
};

/// What TrieNode::receivers says: its two low bits tell what the rest is.
enum class ReceiverKind : uint64_t { entry = 0, group = 1, set = 2 };

class ReceiverStore {
 public:
  ReceiverStore(HeapAccount& heap, SlabArena& arena, const TokenHash& hash) noexcept
      : heap_(heap), arena_(arena), hash_(hash) {}
  ~ReceiverStore() { groups_.clear(heap_); }
  ReceiverStore(const ReceiverStore&) = delete;
  ReceiverStore& operator=(const ReceiverStore&) = delete;

  /// `name_id` QueueNames::none: plain. False, and nothing changed, when memory could not be had.
  [[nodiscard]] bool add(TrieNode& node, uint32_t name_id, TrieEntry& entry) noexcept;
  void remove(TrieEntry& entry) noexcept;
  /// Gives back the heap that the receivers of `node` hold, when everything goes. Touches no entry.
  void release_heap(TrieNode& node) noexcept;

  static ReceiverKind kind_of(const TrieNode& node) noexcept {
    return static_cast<ReceiverKind>(node.receivers & 3);
  }
  static TrieEntry* entry_of(const TrieNode& node) noexcept {
    return reinterpret_cast<TrieEntry*>(node.receivers);
  }
  TrieGroup* group_of(const TrieNode& node) const noexcept { return group_at(index_of(node)); }
  ReceiverSet* set_of(const TrieNode& node) const noexcept {
    return static_cast<ReceiverSet*>(arena_.at(index_of(node)));
  }

  uint64_t set_count() const noexcept { return set_count_; }
  uint32_t group_count() const noexcept { return groups_.count(); }
  /// The group of this name at `node`, or null.
  TrieGroup* find_group(const TrieNode& node, uint32_t name_id) const noexcept;

 private:
  static uint32_t index_of(const TrieNode& node) noexcept {
    return static_cast<uint32_t>(node.receivers >> 2);
  }
  static uint64_t word(ReceiverKind kind, uint32_t index) noexcept {
    return uint64_t{index} << 2 | static_cast<uint64_t>(kind);
  }
  TrieGroup* group_at(uint32_t index) const noexcept {
    return static_cast<TrieGroup*>(arena_.at(index));
  }
  uint32_t hash_of(const TrieNode& node, uint32_t name_id) const noexcept {
    return hash_(reinterpret_cast<uintptr_t>(&node), name_id);
  }

  bool add_plain(TrieNode& node, TrieEntry& entry) noexcept;
  bool add_to_group(TrieNode& node, uint32_t name_id, TrieEntry& entry) noexcept;
  bool add_group(TrieNode& node, TrieGroup& group) noexcept;
  bool become_set(TrieNode& node) noexcept;
  void simplify(TrieNode& node) noexcept;
  void release_group(TrieNode& node, TrieGroup& group) noexcept;

  HeapAccount& heap_;
  SlabArena& arena_;
  const TokenHash& hash_;
  SlotTable groups_;
  uint64_t set_count_ = 0;
};

static_assert(sizeof(TrieGroup) <= SlabArena::granules_min * SlabArena::granule_bytes);
static_assert(sizeof(ReceiverSet) <= SlabArena::granules_min * SlabArena::granule_bytes);
static_assert(alignof(TrieEntry) >= 4, "the low bits of an entry's address are free");

}  // namespace martlet::subject
