// SPDX-License-Identifier: Apache-2.0
//
// Owns the nodes of a subscription trie as a tree: making and releasing them, their labels, who is
// whose child. Promises: a node never moves; what may fail for lack of memory is a call of its own
// (make, reserve, set_label), before the calls that change the tree. Knows nothing of receivers;
// the root has index 0 and is a branch alone.
#pragma once

#include <cstdint>
#include <string_view>

#include "subject/heap_account.hpp"
#include "subject/slab_arena.hpp"
#include "subject/token.hpp"
#include "subject/trie_node.hpp"

namespace martlet::subject {

inline bool is_star(std::string_view token) noexcept {
  return token.size() == 1 && token[0] == '*';
}
inline bool is_rest(std::string_view token) noexcept {
  return token.size() == 1 && token[0] == '>';
}

/// True when `label` begins with all of `token`, which is its first token.
inline bool begins_with_token(std::string_view label, std::string_view token) noexcept {
  return label.size() >= token.size() && equal_bytes(label.data(), token.data(), token.size()) &&
         (label.size() == token.size() || label[token.size()] == '.');
}

class NodeStore {
 public:
  static constexpr uint32_t root = 0;

  NodeStore(HeapAccount& heap, SlabArena& arena, const TokenHash& hash) noexcept
      : heap_(heap), arena_(arena), hash_(hash), root_branch_{} {}
  ~NodeStore() {
    clear([](TrieNode&) {});
  }
  NodeStore(const NodeStore&) = delete;
  NodeStore& operator=(const NodeStore&) = delete;

  /// `index` is not the root.
  TrieNode* at(uint32_t index) const noexcept { return static_cast<TrieNode*>(arena_.at(index)); }
  /// Null for a node without children; the root always has one.
  const Branch* branch_of(uint32_t index) const noexcept {
    return index == root ? &root_branch_ : branch(*at(index));
  }
  const Branch* branch(const TrieNode& node) const noexcept {
    return node.branch == 0 ? nullptr : static_cast<const Branch*>(arena_.at(node.branch));
  }

  /// The child whose label begins with `token`, wildcards by their text; 0: none.
  uint32_t child_by_text(const Branch& branch, std::string_view token) const noexcept {
    if (is_star(token)) return branch.star;
    if (is_rest(token)) return branch.rest;
    return literal_child(branch, token);
  }

  /// As child_by_text among the children that begin with no wildcard.
  uint32_t literal_child(const Branch& branch, std::string_view token) const noexcept {
    if (branch.literals.count() == 0) return 0;
    return branch.literals.find(
        hash_(token), [&](uint32_t index) { return begins_with_token(at(index)->label(), token); });
  }

  /// How much of the front of `pattern` can be the label of one node: whole tokens, at least one.
  static size_t label_fit(std::string_view pattern) noexcept;

  /// A node without parent, children and receivers, or 0. `label` is no longer than label_fit says.
  [[nodiscard]] uint32_t make_node(std::string_view label) noexcept;
  /// A path of nodes that together spell `pattern`, or 0. `last` is its end.
  [[nodiscard]] uint32_t make_path(std::string_view pattern, uint32_t& last) noexcept;
  /// Releases a path that make_path made and that hangs nowhere.
  void release_path(uint32_t first) noexcept {
    at(first)->parent = 0;
    release_listed(first, [](TrieNode&) {});
  }
  /// Releases every node, each after `on_node(node)`. Linear, and needs no memory.
  template <typename OnNode>
  void clear(OnNode on_node) noexcept {
    uint32_t listed = 0;
    list_children(root_branch_, listed);
    root_branch_.literals.clear(heap_);
    root_branch_ = {};
    release_listed(listed, on_node);
  }

  /// False, and nothing changed, when memory could not be had. Never false for a label that is not
  /// longer than before.
  [[nodiscard]] bool set_label(TrieNode& node, std::string_view label) noexcept;

  /// Makes room below `parent` for `more` children; false, and nothing changed, when memory could
  /// not be had.
  [[nodiscard]] bool reserve_children(uint32_t parent, uint32_t more) noexcept;
  /// Gives back what reserve_children made and nobody used.
  void drop_empty_branch(uint32_t parent) noexcept;
  /// After reserve_children.
  void link(uint32_t parent, uint32_t child) noexcept;
  /// Takes `child` from its parent, whose branch goes with its last child. Returns its index.
  uint32_t unlink(TrieNode& child) noexcept;
  /// unlink, and its memory too. It has no children and no receivers.
  void release_leaf(TrieNode& leaf) noexcept { release_node(unlink(leaf)); }
  /// Puts `child` in the place that `node` has below its parent. Both begin with the same token.
  void replace(TrieNode& node, uint32_t child) noexcept;

  /// When `node` has exactly one child, joins the two where label and memory allow; `node` is gone
  /// then.
  void try_merge_into_child(TrieNode& node) noexcept;

  uint64_t node_count() const noexcept { return node_count_; }
  uint64_t branch_count() const noexcept { return branch_count_; }
  uint32_t hash_of_first_token(const TrieNode& node) const noexcept;

 private:
  Branch* mutable_branch(uint32_t index) noexcept { return const_cast<Branch*>(branch_of(index)); }
  /// A list of nodes to release runs through their `parent`.
  void list_children(const Branch& branch, uint32_t& listed) noexcept {
    const auto add = [this, &listed](uint32_t child) {
      if (child == 0) return;
      at(child)->parent = listed;
      listed = child;
    };
    add(branch.star);
    add(branch.rest);
    branch.literals.for_each(add);
  }
  template <typename OnNode>
  void release_listed(uint32_t listed, OnNode on_node) noexcept {
    while (listed != 0) {
      const uint32_t index = listed;
      TrieNode& node = *at(index);
      listed = node.parent;
      if (node.branch != 0) list_children(*branch(node), listed);
      on_node(node);
      release_node(index);
    }
  }
  void release_node(uint32_t index) noexcept;
  void release_branch(TrieNode& node) noexcept;
  uint32_t index_below(const Branch& branch, const TrieNode& child) const noexcept;

  HeapAccount& heap_;
  SlabArena& arena_;
  const TokenHash& hash_;
  Branch root_branch_;
  uint64_t node_count_ = 0;
  uint64_t branch_count_ = 0;
};

}  // namespace martlet::subject
