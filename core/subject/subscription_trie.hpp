// SPDX-License-Identifier: Apache-2.0
//
// Owns the structure that finds the subscriptions a published subject reaches, plain ones and queue
// groups. Promises: the cost of a change and of a match does not depend on how many subscriptions
// do not match. Does not own the subscriptions, chooses no member of a group, knows no thread: one
// writer, or any number of matches, at a time.
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

/// What the trie keeps of one subscription: the owner's object derives from it. Its address stays
/// while it is inserted. `node` is non-null exactly while inserted; `loop` is the owner's, the trie
/// never looks at it.
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

/// Receivers found. Made once and used again: clear() keeps the capacity. Each thread that matches
/// has its own, for any number of tries.
struct Match {
  std::vector<TrieEntry*> plain;
  std::vector<TrieEntry*> members;
  std::vector<GroupMatch> groups;

  void clear() {
    plain.clear();
    members.clear();
    groups.clear();
  }

 private:
  friend class SubscriptionTrie;
  struct Step {
    uint32_t node;
    uint32_t position;
  };
  struct Stamp {
    uint32_t epoch;
    uint32_t place;
  };
  std::vector<Step> steps_;                   // Branches of the search not taken yet.
  std::vector<const TrieNode*> group_nodes_;  // Nodes found that have queue groups.
  std::vector<Stamp> stamps_;  // By group id: where the group is in `groups`, if met in this epoch.
  uint32_t epoch_ = 0;
};

class SubscriptionTrie {
 public:
  static constexpr uint64_t seed_default = 0x9d6ef916fa3a1c27ULL;

  /// `seed` keys the hash of tokens: give chance to it wherever strangers choose subjects.
  explicit SubscriptionTrie(uint64_t seed = seed_default) noexcept;
  ~SubscriptionTrie();
  SubscriptionTrie(const SubscriptionTrie&) = delete;
  SubscriptionTrie& operator=(const SubscriptionTrie&) = delete;

  /// False when memory could not be had: then nothing has changed. `pattern` is valid, `entry` is
  /// not inserted; an empty `queue` makes a plain subscription.
  [[nodiscard]] bool insert(std::string_view pattern, std::string_view queue,
                            TrieEntry* entry) noexcept;

  /// `entry` is inserted here. Never fails and never allocates.
  void remove(TrieEntry* entry) noexcept;

  /// Appends everything that `subject` reaches. `*` and `>` in it are ordinary tokens; with an
  /// empty token it reaches nothing. Groups of one name on several patterns are one group. Throws
  /// std::bad_alloc when `out` cannot grow; then what it holds is not whole.
  void match(std::string_view subject, Match& out) const;

  static constexpr size_t prefetch_max = 16;
  /// Asks the processor for what match() of these subjects is going to read, of all of them
  /// together: where it stands in no cache, they wait for it once and not one after the other.
  /// At most prefetch_max. Changes nothing.
  void prefetch(const std::string_view* subjects, size_t count) const noexcept;

  /// The text that was inserted, put together again.
  std::string pattern_of(const TrieEntry* entry) const;
  /// Empty for a plain subscription. Valid until the last member of this group name is removed.
  std::string_view queue_of(const TrieEntry* entry) const;

  /// Entries inserted.
  size_t count() const noexcept;
  /// Heap bytes that the trie itself holds.
  size_t memory_bytes() const noexcept;
  /// Walks everything and asserts that it fits together. For tests: costs as much as the whole is
  /// large.
  void check_invariants() const;

 private:
  struct State;
  static void collect(const State& state, const TrieNode& node, Match& out);
  static void join_groups(const State& state, Match& out);

  uint64_t seed_;
  std::unique_ptr<State>
      state_;  // Null while nothing is inserted: an account without subscriptions costs nothing.
};

}  // namespace martlet::subject
