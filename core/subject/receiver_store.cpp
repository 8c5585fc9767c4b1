// SPDX-License-Identifier: Apache-2.0
//
// See receiver_store.hpp. One table over all nodes finds a group by node and name, so that a node
// with a hundred thousand groups needs nothing of its own for it.
#include "subject/receiver_store.hpp"

#include <new>

#include "base/assert.hpp"

namespace martlet::subject {

bool ReceiverStore::add(TrieNode& node, uint32_t name_id, TrieEntry& entry) noexcept {
  const bool plain = name_id == QueueNames::none;
  if (plain ? !add_plain(node, entry) : !add_to_group(node, name_id, entry)) return false;
  entry.node = &node;
  return true;
}

void ReceiverStore::remove(TrieEntry& entry) noexcept {
  TrieNode& node = *entry.node;
  TrieGroup* const group = entry.group;
  entry.node = nullptr;
  entry.group = nullptr;
  if (kind_of(node) == ReceiverKind::entry) {
    MARTLET_ASSERT(entry_of(node) == &entry);
    node.receivers = 0;
    return;
  }
  PointerList<TrieEntry>& list = group != nullptr ? group->members : set_of(node)->plain;
  MARTLET_ASSERT(list[entry.index] == &entry);
  TrieEntry* const moved = list.remove(entry.index, heap_);
  if (moved != nullptr) moved->index = entry.index;
  if (group != nullptr && group->members.size() == 0) release_group(node, *group);
  simplify(node);
}

void ReceiverStore::release_heap(TrieNode& node) noexcept {
  if (kind_of(node) == ReceiverKind::group) group_of(node)->members.clear(heap_);
  if (kind_of(node) != ReceiverKind::set) return;
  ReceiverSet& set = *set_of(node);
  for (uint32_t i = 0; i < set.groups.size(); ++i) set.groups[i]->members.clear(heap_);
  set.groups.clear(heap_);
  set.plain.clear(heap_);
}

bool ReceiverStore::add_plain(TrieNode& node, TrieEntry& entry) noexcept {
  entry.group = nullptr;
  entry.index = 0;
  if (node.receivers == 0) {
    node.receivers = reinterpret_cast<uintptr_t>(&entry);
    return true;
  }
  if (!become_set(node)) return false;
  ReceiverSet& set = *set_of(node);
  if (!set.plain.reserve_one(heap_)) {
    simplify(node);
    return false;
  }
  entry.index = set.plain.push(&entry);
  return true;
}

bool ReceiverStore::add_to_group(TrieNode& node, uint32_t name_id, TrieEntry& entry) noexcept {
  TrieGroup* group = find_group(node, name_id);
  if (group != nullptr) {
    if (!group->members.reserve_one(heap_)) return false;
    entry.index = group->members.push(&entry);
    entry.group = group;
    return true;
  }
  if (!groups_.reserve(1, heap_)) return false;
  const uint32_t index = arena_.allocate(SlabArena::granules_min);
  if (index == 0) return false;
  group = new (arena_.at(index)) TrieGroup{{}, name_id, 0, index, hash_of(node, name_id)};
  if (!add_group(node, *group)) {
    arena_.release(index);
    return false;
  }
  groups_.insert(group->hash, index);
  entry.index = group->members.push(&entry);
  entry.group = group;
  return true;
}

bool ReceiverStore::add_group(TrieNode& node, TrieGroup& group) noexcept {
  if (node.receivers == 0) {
    node.receivers = word(ReceiverKind::group, group.self);
    return true;
  }
  if (!become_set(node)) return false;
  ReceiverSet& set = *set_of(node);
  if (!set.groups.reserve_one(heap_)) {
    simplify(node);
    return false;
  }
  group.place = set.groups.push(&group);
  return true;
}

bool ReceiverStore::become_set(TrieNode& node) noexcept {
  const ReceiverKind kind = kind_of(node);
  if (kind == ReceiverKind::set) return true;
  const uint32_t index = arena_.allocate(SlabArena::granules_min);
  if (index == 0) return false;
  ReceiverSet& set = *new (arena_.at(index)) ReceiverSet{};
  // The first pointer of a list needs no heap.
  if (kind == ReceiverKind::entry) {
    set.plain.push(entry_of(node));
  } else {
    group_of(node)->place = set.groups.push(group_of(node));
  }
  node.receivers = word(ReceiverKind::set, index);
  ++set_count_;
  return true;
}

void ReceiverStore::simplify(TrieNode& node) noexcept {
  if (kind_of(node) != ReceiverKind::set) return;
  ReceiverSet& set = *set_of(node);
  if (set.plain.size() + uint64_t{set.groups.size()} > 1) return;
  const uint32_t index = index_of(node);
  MARTLET_ASSERT(set.plain.size() + set.groups.size() == 1);
  if (set.plain.size() == 1) {
    set.plain[0]->index = 0;
    node.receivers = reinterpret_cast<uintptr_t>(set.plain[0]);
  } else {
    set.groups[0]->place = 0;
    node.receivers = word(ReceiverKind::group, set.groups[0]->self);
  }
  set.plain.clear(heap_);
  set.groups.clear(heap_);
  arena_.release(index);
  --set_count_;
}

void ReceiverStore::release_group(TrieNode& node, TrieGroup& group) noexcept {
  if (kind_of(node) == ReceiverKind::group) {
    node.receivers = 0;
  } else {
    TrieGroup* const moved = set_of(node)->groups.remove(group.place, heap_);
    if (moved != nullptr) moved->place = group.place;
  }
  groups_.erase(group.hash, group.self, heap_);
  group.members.clear(heap_);
  arena_.release(group.self);
}

TrieGroup* ReceiverStore::find_group(const TrieNode& node, uint32_t name_id) const noexcept {
  if (node.receivers == 0 || kind_of(node) == ReceiverKind::entry) return nullptr;
  const uint32_t index = groups_.find(hash_of(node, name_id), [&](uint32_t candidate) {
    const TrieGroup& group = *group_at(candidate);
    return group.name_id == name_id && group.members[0]->node == &node;
  });
  return index == 0 ? nullptr : group_at(index);
}

}  // namespace martlet::subject
