// SPDX-License-Identifier: Apache-2.0
//
// Owns the structure that finds the subscriptions a published subject reaches, plain ones and queue groups.
// Promises: the cost of a change and of a match does not depend on how many subscriptions do not match. Does not own
// the subscriptions, chooses no member of a group, knows no thread: one writer, or any number of matches, at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace martlet::subject {

struct TrieNode;
struct TrieGroup;

/// What the trie keeps of one subscription: the owner's object derives from it. Its address stays while it is
/// inserted. `node` is non-null exactly while inserted; `loop` is the owner's, the trie never looks at it.
struct TrieEntry {
  TrieNode* node = nullptr;
  TrieGroup* group = nullptr;
  uint32_t index = 0;
  uint32_t loop = 0;
};

/// One queue group that a message reaches: its members are Match::members[begin, end), never empty.
struct GroupMatch {
  uint32_t group_id;
  uint32_t begin;
  uint32_t end;
};

/// Receivers found. Made once and used again: clear() keeps the capacity. Each thread that matches has its own.
struct Match {
  std::vector<TrieEntry*> plain;
  std::vector<TrieEntry*> members;
  std::vector<GroupMatch> groups;

  void clear() {
    plain.clear();
    members.clear();
    groups.clear();
  }
};

class SubscriptionTrie {
 public:
  static constexpr uint64_t seed_default = 0x9d6ef916fa3a1c27ULL;

  /// `seed` keys the hash of tokens: give chance to it wherever strangers choose subjects.
  explicit SubscriptionTrie(uint64_t seed = seed_default) noexcept;
  ~SubscriptionTrie();
  SubscriptionTrie(const SubscriptionTrie&) = delete;
  SubscriptionTrie& operator=(const SubscriptionTrie&) = delete;

  /// False when memory could not be had: then nothing has changed. `pattern` is valid, `entry` is not inserted; an
  /// empty `queue` makes a plain subscription.
  [[nodiscard]] bool insert(std::string_view pattern, std::string_view queue, TrieEntry* entry) noexcept;

  /// `entry` is inserted here. Never fails and never allocates.
  void remove(TrieEntry* entry) noexcept;

  /// Appends everything that `subject` reaches. `*` and `>` in it are ordinary tokens; with an empty token it reaches
  /// nothing. Groups of one name on several patterns are one group. Throws std::bad_alloc when `out` cannot grow;
  /// then what it holds is not whole.
  void match(std::string_view subject, Match& out) const;

  std::string pattern_of(const TrieEntry* entry) const;
  std::string_view queue_of(const TrieEntry* entry) const;

  /// Entries inserted.
  size_t count() const noexcept;
  /// Heap bytes that the trie itself holds.
  size_t memory_bytes() const noexcept;
  /// Walks everything and asserts that it fits together. For tests: costs as much as the whole is large.
  void check_invariants() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace martlet::subject
