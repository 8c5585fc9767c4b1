// SPDX-License-Identifier: Apache-2.0
//
// See node_store.hpp.
#include "subject/node_store.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "base/assert.hpp"
#include "subject/subject.hpp"

namespace martlet::subject {
namespace {

std::string_view first_token(std::string_view label) noexcept {
  return label.substr(0, token_end(label, 0));
}

uint32_t any_child(const Branch& branch) noexcept {
  if (branch.star != 0) return branch.star;
  if (branch.rest != 0) return branch.rest;
  uint32_t found = 0;
  branch.literals.for_each([&found](uint32_t index) { found = index; });
  return found;
}

void set_wildcard_bit(TrieNode& node) noexcept {
  node.shape = static_cast<uint8_t>(node.shape & ~TrieNode::wildcard_bit);
  if (!is_literal(node.label())) node.shape |= TrieNode::wildcard_bit;
}

}  // namespace

size_t NodeStore::label_fit(std::string_view pattern) noexcept {
  if (pattern.size() <= TrieNode::label_bytes_max) return pattern.size();
  const size_t dot = pattern.rfind('.', TrieNode::label_bytes_max);
  return dot != std::string_view::npos ? dot : token_end(pattern, 0);
}

uint32_t NodeStore::make_node(std::string_view label) noexcept {
  const size_t wanted = TrieNode::text_offset + label.size();
  const size_t granules = (wanted + SlabArena::granule_bytes - 1) / SlabArena::granule_bytes;
  const bool fits = granules <= SlabArena::granules_max;
  const uint32_t taken =
      fits ? std::max<uint32_t>(static_cast<uint32_t>(granules), SlabArena::granules_min)
           : SlabArena::granules_min;
  const uint32_t index = arena_.allocate(taken);
  if (index == 0) return 0;
  TrieNode& node = *new (arena_.at(index)) TrieNode;
  node.receivers = 0;
  node.parent = 0;
  node.branch = 0;
  node.shape = static_cast<uint8_t>(taken);
  node.label_bytes = 0;
  if (!set_label(node, label)) {
    arena_.release(index);
    return 0;
  }
  ++node_count_;
  return index;
}

uint32_t NodeStore::make_path(std::string_view pattern, uint32_t& last) noexcept {
  uint32_t first = 0;
  last = 0;
  for (;;) {
    const size_t bytes = label_fit(pattern);
    const uint32_t made = make_node(pattern.substr(0, bytes));
    if (made == 0 || (last != 0 && !reserve_children(last, 1))) {
      if (made != 0) release_node(made);
      if (first != 0) release_path(first);
      last = 0;
      return 0;
    }
    if (first == 0) {
      first = made;
    } else {
      link(last, made);
    }
    last = made;
    if (bytes == pattern.size()) return first;
    pattern.remove_prefix(bytes + 1);
  }
}

bool NodeStore::set_label(TrieNode& node, std::string_view label) noexcept {
  const bool was_external = node.label_bytes == TrieNode::external_mark;
  const ExternalLabel old = was_external ? ExternalLabel::of(node) : ExternalLabel{0, nullptr};
  if (label.size() <= node.inline_bytes_max() && label.size() <= TrieNode::label_bytes_max) {
    // The new text may lie in the old one, in the node or in its block.
    std::memmove(node.text, label.data(), label.size());
    node.label_bytes = static_cast<uint8_t>(label.size());
    if (was_external) heap_.release(old.block, ExternalLabel::block_bytes(old.capacity()));
  } else if (was_external && label.size() <= old.capacity()) {
    std::memmove(old.text(), label.data(), label.size());
    ExternalLabel{static_cast<uint32_t>(label.size()), old.block}.put_in(node);
  } else {
    if (label.size() > UINT32_MAX / 2) return false;
    const uint32_t capacity = static_cast<uint32_t>(label.size());
    char* const block = static_cast<char*>(heap_.allocate(ExternalLabel::block_bytes(capacity)));
    if (block == nullptr) return false;
    std::memcpy(block, &capacity, sizeof capacity);
    const ExternalLabel made{capacity, block};
    std::memcpy(made.text(), label.data(), label.size());
    if (was_external) heap_.release(old.block, ExternalLabel::block_bytes(old.capacity()));
    made.put_in(node);
  }
  set_wildcard_bit(node);
  return true;
}

bool NodeStore::reserve_children(uint32_t parent, uint32_t more) noexcept {
  Branch* branch = mutable_branch(parent);
  if (branch != nullptr) return branch->literals.reserve(more, heap_);
  const uint32_t made = arena_.allocate(SlabArena::granules_min);
  if (made == 0) return false;
  branch = new (arena_.at(made)) Branch{};
  if (!branch->literals.reserve(more, heap_)) {
    arena_.release(made);
    return false;
  }
  ++branch_count_;
  at(parent)->branch = made;
  return true;
}

void NodeStore::drop_empty_branch(uint32_t parent) noexcept {
  if (parent == root || at(parent)->branch == 0 || branch_of(parent)->count() > 0) return;
  release_branch(*at(parent));
}

void NodeStore::link(uint32_t parent, uint32_t child) noexcept {
  Branch& branch = *mutable_branch(parent);
  TrieNode& node = *at(child);
  const std::string_view token = first_token(node.label());
  node.parent = parent;
  if (is_star(token)) {
    branch.star = child;
  } else if (is_rest(token)) {
    branch.rest = child;
  } else {
    branch.literals.insert(hash_(token), child);
  }
}

uint32_t NodeStore::unlink(TrieNode& child) noexcept {
  const uint32_t parent = child.parent;
  Branch& branch = *mutable_branch(parent);
  const uint32_t index = index_below(branch, child);
  if (branch.star == index) {
    branch.star = 0;
  } else if (branch.rest == index) {
    branch.rest = 0;
  } else {
    branch.literals.erase(hash_of_first_token(child), index, heap_);
  }
  drop_empty_branch(parent);
  return index;
}

void NodeStore::replace(TrieNode& node, uint32_t child) noexcept {
  Branch& branch = *mutable_branch(node.parent);
  const uint32_t index = index_below(branch, node);
  if (branch.star == index) {
    branch.star = child;
  } else {
    branch.literals.replace(hash_of_first_token(node), index, child);
  }
  at(child)->parent = node.parent;
}

void NodeStore::try_merge_into_child(TrieNode& node) noexcept {
  const Branch* const below = branch(node);
  if (below == nullptr || below->count() != 1) return;
  TrieNode& child = *at(any_child(*below));
  const std::string_view upper = node.label();
  const std::string_view lower = child.label();
  const size_t bytes = upper.size() + 1 + lower.size();
  if (bytes > TrieNode::label_bytes_max) return;
  char joined[TrieNode::label_bytes_max];
  std::memcpy(joined, upper.data(), upper.size());
  joined[upper.size()] = '.';
  std::memcpy(joined + upper.size() + 1, lower.data(), lower.size());
  if (!set_label(child, {joined, bytes})) return;
  const uint32_t node_index = index_below(*branch_of(node.parent), node);
  replace(node, any_child(*below));
  release_branch(node);
  release_node(node_index);
}

uint32_t NodeStore::hash_of_first_token(const TrieNode& node) const noexcept {
  return hash_(first_token(node.label()));
}

void NodeStore::release_node(uint32_t index) noexcept {
  TrieNode& node = *at(index);
  if (node.label_bytes == TrieNode::external_mark) {
    const ExternalLabel label = ExternalLabel::of(node);
    heap_.release(label.block, ExternalLabel::block_bytes(label.capacity()));
  }
  if (node.branch != 0) release_branch(node);
  arena_.release(index);
  --node_count_;
}

void NodeStore::release_branch(TrieNode& node) noexcept {
  static_cast<Branch*>(arena_.at(node.branch))->literals.clear(heap_);
  arena_.release(node.branch);
  node.branch = 0;
  --branch_count_;
}

uint32_t NodeStore::index_below(const Branch& branch, const TrieNode& child) const noexcept {
  if (branch.star != 0 && at(branch.star) == &child) return branch.star;
  if (branch.rest != 0 && at(branch.rest) == &child) return branch.rest;
  const uint32_t index = branch.literals.find(hash_of_first_token(child),
                                              [&](uint32_t found) { return at(found) == &child; });
  MARTLET_ASSERT(index != 0);
  return index;
}

}  // namespace martlet::subject
