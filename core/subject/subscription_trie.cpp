// SPDX-License-Identifier: Apache-2.0
//
// See subscription_trie.hpp. A radix tree over tokens: the search takes one hash for each literal
// step, the texts of labels are compared on the way, and the tokens of `*` and `>` are followed
// beside it from a stack. A node stands at one depth only, so that no node is visited twice.
#include "subject/subscription_trie.hpp"

#include <algorithm>
#include <new>

#include "base/assert.hpp"
#include "subject/heap_account.hpp"
#include "subject/node_store.hpp"
#include "subject/queue_names.hpp"
#include "subject/receiver_store.hpp"
#include "subject/slab_arena.hpp"
#include "subject/subject.hpp"
#include "subject/token.hpp"

namespace martlet::subject {

struct SubscriptionTrie::State {
  explicit State(uint64_t seed) noexcept
      : hash(seed),
        arena(heap),
        nodes(heap, arena, hash),
        receivers(heap, arena, hash),
        names(heap, hash) {}
  ~State() {
    nodes.clear([this](TrieNode& node) { receivers.release_heap(node); });
  }

  HeapAccount heap;
  TokenHash hash;
  SlabArena arena;
  NodeStore nodes;
  ReceiverStore receivers;
  QueueNames names;
  size_t entry_count = 0;
};

namespace {

constexpr size_t no_match = SIZE_MAX;

/// How far a pattern leads into the tree that exists.
struct Place {
  uint32_t parent = NodeStore::root;  // The last node of which the pattern has the whole label.
  uint32_t child = 0;     // Below it, the node whose label the pattern has in part; 0: none.
  size_t common = 0;      // Bytes of that label.
  std::string_view rest;  // What of the pattern is left; empty: nothing.
};

/// Bytes of the longest common front of two texts that ends between tokens. Their first tokens are
/// equal.
size_t common_tokens(std::string_view a, std::string_view b) noexcept {
  const size_t shorter = std::min(a.size(), b.size());
  const auto differs =
      std::mismatch(a.begin(), a.begin() + static_cast<ptrdiff_t>(shorter), b.begin());
  const size_t same = static_cast<size_t>(differs.first - a.begin());
  const bool a_ends_token = same == a.size() || a[same] == '.';
  const bool b_ends_token = same == b.size() || b[same] == '.';
  return a_ends_token && b_ends_token ? same : a.rfind('.', same - 1);
}

Place locate(const NodeStore& nodes, std::string_view pattern) noexcept {
  Place place;
  place.rest = pattern;
  for (;;) {
    const Branch* const branch = nodes.branch_of(place.parent);
    if (branch == nullptr) return place;
    const uint32_t child =
        nodes.child_by_text(*branch, place.rest.substr(0, token_end(place.rest, 0)));
    if (child == 0) return place;
    const std::string_view label = nodes.at(child)->label();
    const size_t common = common_tokens(label, place.rest);
    place.rest.remove_prefix(std::min(common + 1, place.rest.size()));
    if (common < label.size()) {
      place.child = child;
      place.common = common;
      return place;
    }
    place.parent = child;
    if (place.rest.empty()) return place;
  }
}

/// Follows a label from token to token: `at` and `position` are starts of tokens. Where the subject
/// ends or goes on with a dot, or no_match.
size_t follow_wildcards(std::string_view label, size_t at, std::string_view subject,
                        size_t position) noexcept {
  for (;;) {
    const size_t label_end = token_end(label, at);
    const size_t subject_end = token_end(subject, position);
    const std::string_view wanted = label.substr(at, label_end - at);
    if (is_rest(wanted)) return subject.size();
    if (!is_star(wanted)) {
      if (label_end - at != subject_end - position) return no_match;
      if (!equal_bytes(wanted.data(), subject.data() + position, wanted.size())) return no_match;
    }
    if (label_end == label.size()) return subject_end;
    if (subject_end == subject.size()) return no_match;
    at = label_end + 1;
    position = subject_end + 1;
  }
}

size_t follow(const TrieNode& node, size_t at, std::string_view subject, size_t position) noexcept {
  const std::string_view label = node.label();
  if (node.has_wildcard()) return follow_wildcards(label, at, subject, position);
  const size_t bytes = label.size() - at;
  if (subject.size() - position < bytes) return no_match;
  const size_t end = position + bytes;
  if (end < subject.size() && subject[end] != '.') return no_match;
  return equal_bytes(label.data() + at, subject.data() + position, bytes) ? end : no_match;
}

/// Hangs a new node, or a path of them, for what the tree lacks. All that may fail comes first.
bool grow(NodeStore& nodes, ReceiverStore& receivers, const Place& place, uint32_t name_id,
          TrieEntry& entry) noexcept {
  const bool splits = place.child != 0;
  const uint32_t upper =
      splits ? nodes.make_node(nodes.at(place.child)->label().substr(0, place.common)) : 0;
  uint32_t last = 0;
  const uint32_t path =
      place.rest.empty() || (splits && upper == 0) ? 0 : nodes.make_path(place.rest, last);
  const uint32_t parent = splits ? upper : place.parent;
  const uint32_t target = place.rest.empty() ? upper : last;
  if (target == 0 || !nodes.reserve_children(parent, splits ? 2 : 1) ||
      !receivers.add(*nodes.at(target), name_id, entry)) {
    if (target != 0 && !splits) nodes.drop_empty_branch(parent);
    if (path != 0) nodes.release_path(path);
    if (upper != 0) nodes.release_path(upper);
    return false;
  }
  if (splits) {
    TrieNode& lower = *nodes.at(place.child);
    nodes.replace(lower, upper);
    const bool shortened = nodes.set_label(lower, lower.label().substr(place.common + 1));
    MARTLET_ASSERT(shortened);
    nodes.link(upper, place.child);
  }
  if (path != 0) nodes.link(parent, path);
  return true;
}

/// Takes away what a node without receivers leaves behind: itself and its ancestors as far as
/// nothing needs them.
void prune(NodeStore& nodes, TrieNode* node) noexcept {
  while (node->receivers == 0) {
    const Branch* const branch = nodes.branch(*node);
    if (branch != nullptr) {
      if (branch->count() == 1) nodes.try_merge_into_child(*node);
      return;
    }
    const uint32_t parent = node->parent;
    nodes.release_leaf(*node);
    if (parent == NodeStore::root) return;
    node = nodes.at(parent);
  }
}

}  // namespace

SubscriptionTrie::SubscriptionTrie(uint64_t seed) noexcept : seed_(seed) {}
SubscriptionTrie::~SubscriptionTrie() = default;

bool SubscriptionTrie::insert(std::string_view pattern, std::string_view queue,
                              TrieEntry* entry) noexcept {
  MARTLET_ASSERT(entry->node == nullptr);
  MARTLET_ASSERT(!pattern.empty());
  if (state_ == nullptr) state_.reset(new (std::nothrow) State(seed_));
  if (state_ == nullptr) return false;
  State& state = *state_;
  uint32_t name_id = QueueNames::none;
  bool done = queue.empty() || (name_id = state.names.acquire(queue)) != QueueNames::none;
  if (done) {
    const Place place = locate(state.nodes, pattern);
    const bool exists = place.rest.empty() && place.child == 0;
    done = exists ? state.receivers.add(*state.nodes.at(place.parent), name_id, *entry)
                  : grow(state.nodes, state.receivers, place, name_id, *entry);
    if (!done && name_id != QueueNames::none) state.names.release(name_id);
  }
  if (done) ++state.entry_count;
  if (state.entry_count == 0) state_.reset();
  return done;
}

void SubscriptionTrie::remove(TrieEntry* entry) noexcept {
  MARTLET_ASSERT(entry->node != nullptr && state_ != nullptr);
  State& state = *state_;
  TrieNode* const node = entry->node;
  const uint32_t name_id = entry->group == nullptr ? QueueNames::none : entry->group->name_id;
  state.receivers.remove(*entry);
  if (name_id != QueueNames::none) state.names.release(name_id);
  if (--state.entry_count == 0) {
    state_.reset();
    return;
  }
  prune(state.nodes, node);
}

void SubscriptionTrie::match(std::string_view subject, Match& out) const {
  if (state_ == nullptr || has_empty_token(subject)) return;
  const State& state = *state_;
  const NodeStore& nodes = state.nodes;
  out.steps_.clear();
  out.group_nodes_.clear();
  const Branch* branch = nodes.branch_of(NodeStore::root);
  size_t position = 0;
  for (;;) {
    // `branch` has the children that the token at `position` may lead to.
    if (branch->rest != 0) collect(state, *nodes.at(branch->rest), out);
    if (branch->star != 0) out.steps_.push_back({branch->star, static_cast<uint32_t>(position)});
    const TrieNode* node = nullptr;
    size_t end = no_match;
    if (branch->literals.count() != 0) {
      const size_t token_stop = token_end(subject, position);
      const size_t token_bytes = token_stop - position;
      const uint32_t child = nodes.literal_child(*branch, subject.substr(position, token_bytes));
      if (child != 0) {
        node = nodes.at(child);
        if (node->label().size() == token_bytes) {
          end = token_stop;
        } else if (token_stop != subject.size()) {
          end = follow(*node, token_bytes + 1, subject, token_stop + 1);
        }
      }
    }
    for (;;) {
      if (end == subject.size()) {
        collect(state, *node, out);
      } else if (end != no_match && node->branch != 0) {
        branch = nodes.branch(*node);
        position = end + 1;
        break;
      }
      if (out.steps_.empty()) {
        if (!out.group_nodes_.empty()) join_groups(state, out);
        return;
      }
      node = nodes.at(out.steps_.back().node);
      end = follow(*node, 0, subject, out.steps_.back().position);
      out.steps_.pop_back();
    }
  }
}

namespace {

constexpr int prefetch_depth_max = 4;

/// The way of one subject along literal labels: a guess, since texts are not compared on it.
struct Guess {
  const Branch* branch;  // Null: it has come to its end.
  size_t position;
  uint32_t hash;
  uint32_t child;
};

void prefetch_slot(const TokenHash& hash, std::string_view subject, Guess& guess) noexcept {
  const size_t end = token_end(subject, guess.position);
  guess.hash = hash(subject.substr(guess.position, end - guess.position));
  guess.branch->literals.prefetch(guess.hash);
}

void prefetch_node(const NodeStore& nodes, Guess& guess) noexcept {
  guess.child = guess.branch->literals.find(guess.hash, [](uint32_t) { return true; });
  guess.branch = guess.child == 0 ? nullptr : guess.branch;
  if (guess.child != 0) __builtin_prefetch(nodes.at(guess.child));
}

void prefetch_receiver(const NodeStore& nodes, std::string_view subject, Guess& guess) noexcept {
  const TrieNode& node = *nodes.at(guess.child);
  if (node.receivers != 0 && ReceiverStore::kind_of(node) == ReceiverKind::entry) {
    const char* const entry = reinterpret_cast<const char*>(ReceiverStore::entry_of(node));
    __builtin_prefetch(entry);
    __builtin_prefetch(entry + 64);  // Its owner's part of it.
  }
  guess.position += node.label().size() + 1;
  guess.branch = guess.position < subject.size() ? nodes.branch(node) : nullptr;
}

}  // namespace

void SubscriptionTrie::prefetch(const std::string_view* subjects, size_t count) const noexcept {
  MARTLET_ASSERT(count <= prefetch_max);
  if (state_ == nullptr) return;
  const NodeStore& nodes = state_->nodes;
  Guess guesses[prefetch_max];
  for (size_t i = 0; i < count; ++i) guesses[i] = {nodes.branch_of(NodeStore::root), 0, 0, 0};
  for (int depth = 0; depth < prefetch_depth_max; ++depth) {
    for (size_t i = 0; i < count; ++i) {
      if (guesses[i].branch != nullptr) prefetch_slot(state_->hash, subjects[i], guesses[i]);
    }
    for (size_t i = 0; i < count; ++i) {
      if (guesses[i].branch != nullptr) prefetch_node(nodes, guesses[i]);
    }
    bool goes_on = false;
    for (size_t i = 0; i < count; ++i) {
      if (guesses[i].branch == nullptr) continue;
      prefetch_receiver(nodes, subjects[i], guesses[i]);
      goes_on = goes_on || guesses[i].branch != nullptr;
    }
    if (!goes_on) return;
  }
}

void SubscriptionTrie::collect(const State& state, const TrieNode& node, Match& out) {
  if (node.receivers == 0) return;
  if (ReceiverStore::kind_of(node) == ReceiverKind::entry) {
    out.plain.push_back(ReceiverStore::entry_of(node));
    return;
  }
  if (ReceiverStore::kind_of(node) == ReceiverKind::set) {
    const ReceiverSet& set = *state.receivers.set_of(node);
    out.plain.insert(out.plain.end(), set.plain.data(), set.plain.data() + set.plain.size());
    if (set.groups.size() == 0) return;
  }
  out.group_nodes_.push_back(&node);
}

namespace {

template <typename Visit>
void for_each_group(const ReceiverStore& receivers, const TrieNode& node, Visit visit) {
  if (ReceiverStore::kind_of(node) == ReceiverKind::group) {
    visit(*receivers.group_of(node));
    return;
  }
  const ReceiverSet& set = *receivers.set_of(node);
  for (uint32_t i = 0; i < set.groups.size(); ++i) visit(*set.groups[i]);
}

}  // namespace

/// Groups of one name on several nodes become one: count the members of each name, lay out the
/// ranges, fill them.
void SubscriptionTrie::join_groups(const State& state, Match& out) {
  const size_t groups_before = out.groups.size();
  if (out.group_nodes_.size() == 1) {
    for_each_group(state.receivers, *out.group_nodes_[0], [&out](const TrieGroup& group) {
      const uint32_t begin = static_cast<uint32_t>(out.members.size());
      const uint32_t size = group.members.size();
      out.members.insert(out.members.end(), group.members.data(), group.members.data() + size);
      out.groups.push_back({group.name_id, begin, begin + size});
    });
    return;
  }
  if (out.stamps_.size() < state.names.ids_end()) out.stamps_.resize(state.names.ids_end());
  if (++out.epoch_ == 0) {
    std::fill(out.stamps_.begin(), out.stamps_.end(), Match::Stamp{0, 0});
    out.epoch_ = 1;
  }
  for (const TrieNode* const node : out.group_nodes_) {
    for_each_group(state.receivers, *node, [&out](const TrieGroup& group) {
      Match::Stamp& stamp = out.stamps_[group.name_id];
      if (stamp.epoch != out.epoch_) {
        stamp = {out.epoch_, static_cast<uint32_t>(out.groups.size())};
        out.groups.push_back({group.name_id, 0, 0});
      }
      out.groups[stamp.place].end += group.members.size();
    });
  }
  uint32_t at = static_cast<uint32_t>(out.members.size());
  for (size_t i = groups_before; i < out.groups.size(); ++i) {
    const uint32_t size = out.groups[i].end;
    out.groups[i].begin = at;
    out.groups[i].end = at;  // Moves on as members come in.
    at += size;
  }
  out.members.resize(at);
  for (const TrieNode* const node : out.group_nodes_) {
    for_each_group(state.receivers, *node, [&out](const TrieGroup& group) {
      GroupMatch& found = out.groups[out.stamps_[group.name_id].place];
      std::copy_n(group.members.data(), group.members.size(), out.members.begin() + found.end);
      found.end += group.members.size();
    });
  }
}

std::string SubscriptionTrie::pattern_of(const TrieEntry* entry) const {
  const NodeStore& nodes = state_->nodes;
  size_t bytes = entry->node->label().size();
  for (uint32_t up = entry->node->parent; up != NodeStore::root; up = nodes.at(up)->parent) {
    bytes += nodes.at(up)->label().size() + 1;
  }
  std::string text(bytes, '.');
  const TrieNode* node = entry->node;
  size_t end = bytes;
  for (;;) {
    const std::string_view label = node->label();
    label.copy(text.data() + end - label.size(), label.size());
    if (node->parent == NodeStore::root) return text;
    end -= label.size() + 1;
    node = nodes.at(node->parent);
  }
}

std::string_view SubscriptionTrie::queue_of(const TrieEntry* entry) const {
  return entry->group == nullptr ? std::string_view() : state_->names.text(entry->group->name_id);
}

namespace {

/// What a walk over the whole tree has seen, to be compared with what the stores count.
struct Census {
  uint64_t nodes = 0;
  uint64_t branches = 0;
  uint64_t sets = 0;
  uint64_t groups = 0;
  uint64_t entries = 0;
  std::vector<uint32_t> users_of_names;
};

void check_receivers(const ReceiverStore& receivers, const TrieNode& node, Census& census) {
  const auto check_entry = [&](const TrieEntry* entry, const TrieGroup* group, uint32_t index) {
    MARTLET_ASSERT(entry->node == &node && entry->group == group && entry->index == index);
    ++census.entries;
  };
  if (node.receivers == 0) return;
  if (ReceiverStore::kind_of(node) == ReceiverKind::entry) {
    check_entry(ReceiverStore::entry_of(node), nullptr, 0);
    return;
  }
  if (ReceiverStore::kind_of(node) == ReceiverKind::set) {
    const ReceiverSet& set = *receivers.set_of(node);
    MARTLET_ASSERT(set.plain.size() + set.groups.size() > 1);
    for (uint32_t i = 0; i < set.plain.size(); ++i) check_entry(set.plain[i], nullptr, i);
    for (uint32_t i = 0; i < set.groups.size(); ++i) MARTLET_ASSERT(set.groups[i]->place == i);
    ++census.sets;
  }
  for_each_group(receivers, node, [&](const TrieGroup& group) {
    MARTLET_ASSERT(group.members.size() > 0);
    MARTLET_ASSERT(receivers.find_group(node, group.name_id) == &group);
    for (uint32_t i = 0; i < group.members.size(); ++i) check_entry(group.members[i], &group, i);
    census.users_of_names[group.name_id] += group.members.size();
    ++census.groups;
  });
}

void check_node(const NodeStore& nodes, uint32_t index) {
  const TrieNode& node = *nodes.at(index);
  const std::string_view label = node.label();
  MARTLET_ASSERT(is_valid(label));
  MARTLET_ASSERT(node.has_wildcard() == !is_literal(label));
  MARTLET_ASSERT(label.size() <= TrieNode::label_bytes_max || token_count(label) == 1);
  const std::string_view token = label.substr(0, token_end(label, 0));
  MARTLET_ASSERT(nodes.child_by_text(*nodes.branch_of(node.parent), token) == index);
  const bool ends_in_rest = is_rest(label.substr(label.rfind('.') + 1));
  MARTLET_ASSERT(!ends_in_rest || node.branch == 0);
  MARTLET_ASSERT(node.receivers != 0 || node.branch != 0);
}

}  // namespace

void SubscriptionTrie::check_invariants() const {
  if (state_ == nullptr) return;
  const State& state = *state_;
  Census census;
  census.users_of_names.resize(state.names.ids_end());
  std::vector<uint32_t> unseen = {NodeStore::root};
  while (!unseen.empty()) {
    const uint32_t index = unseen.back();
    unseen.pop_back();
    if (index != NodeStore::root) {
      check_node(state.nodes, index);
      check_receivers(state.receivers, *state.nodes.at(index), census);
      ++census.nodes;
    }
    const Branch* const branch = state.nodes.branch_of(index);
    if (branch == nullptr) continue;
    if (index != NodeStore::root) ++census.branches;
    MARTLET_ASSERT(branch->count() > 0);
    const auto add = [&](uint32_t child) {
      MARTLET_ASSERT(state.nodes.at(child)->parent == index);
      unseen.push_back(child);
    };
    if (branch->star != 0) add(branch->star);
    if (branch->rest != 0) add(branch->rest);
    branch->literals.for_each(add);
  }
  MARTLET_ASSERT(census.entries == state.entry_count && state.entry_count > 0);
  MARTLET_ASSERT(census.nodes == state.nodes.node_count());
  MARTLET_ASSERT(census.branches == state.nodes.branch_count());
  MARTLET_ASSERT(census.sets == state.receivers.set_count());
  MARTLET_ASSERT(census.groups == state.receivers.group_count());
  MARTLET_ASSERT(state.arena.objects() ==
                 census.nodes + census.branches + census.sets + census.groups);
  uint32_t names = 0;
  for (uint32_t id = 0; id < census.users_of_names.size(); ++id) {
    if (census.users_of_names[id] == 0) continue;
    MARTLET_ASSERT(state.names.users(id) == census.users_of_names[id]);
    ++names;
  }
  MARTLET_ASSERT(names == state.names.count());
}

size_t SubscriptionTrie::count() const noexcept {
  return state_ == nullptr ? 0 : state_->entry_count;
}

size_t SubscriptionTrie::memory_bytes() const noexcept {
  return state_ == nullptr ? 0 : sizeof(State) + state_->heap.bytes_held();
}

}  // namespace martlet::subject
