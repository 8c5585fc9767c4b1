// SPDX-License-Identifier: Apache-2.0
//
// See subscription_trie.hpp. A list that is walked whole: right, and slow.
#include "subject/subscription_trie.hpp"

#include <map>
#include <new>
#include <unordered_map>

#include "base/assert.hpp"
#include "subject/subject.hpp"

namespace martlet::subject {

struct TrieNode {
  std::string pattern;
  std::string queue;
  TrieEntry* entry = nullptr;
  uint32_t position = 0;
};

struct SubscriptionTrie::State {
  std::vector<std::unique_ptr<TrieNode>> nodes;
};

SubscriptionTrie::SubscriptionTrie(uint64_t) noexcept {}
SubscriptionTrie::~SubscriptionTrie() = default;

bool SubscriptionTrie::insert(std::string_view pattern, std::string_view queue, TrieEntry* entry) noexcept {
  MARTLET_ASSERT(entry->node == nullptr);
  try {
    if (state_ == nullptr) state_ = std::make_unique<State>();
    std::unique_ptr<TrieNode> node = std::make_unique<TrieNode>();
    node->pattern = pattern;
    node->queue = queue;
    node->entry = entry;
    node->position = static_cast<uint32_t>(state_->nodes.size());
    TrieNode* const made = node.get();
    state_->nodes.push_back(std::move(node));
    entry->node = made;
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void SubscriptionTrie::remove(TrieEntry* entry) noexcept {
  MARTLET_ASSERT(entry->node != nullptr);
  const uint32_t position = entry->node->position;
  std::swap(state_->nodes[position], state_->nodes.back());
  state_->nodes[position]->position = position;
  state_->nodes.pop_back();
  entry->node = nullptr;
}

void SubscriptionTrie::match(std::string_view subject, Match& out) const {
  if (state_ == nullptr) return;
  std::map<std::string_view, std::vector<TrieEntry*>> groups;
  for (const std::unique_ptr<TrieNode>& node : state_->nodes) {
    if (!matches(node->pattern, subject)) continue;
    if (node->queue.empty()) {
      out.plain.push_back(node->entry);
    } else {
      groups[node->queue].push_back(node->entry);
    }
  }
  for (const auto& [name, members] : groups) {
    const uint32_t begin = static_cast<uint32_t>(out.members.size());
    out.members.insert(out.members.end(), members.begin(), members.end());
    out.groups.push_back({static_cast<uint32_t>(out.groups.size()), begin, static_cast<uint32_t>(out.members.size())});
  }
}

std::string SubscriptionTrie::pattern_of(const TrieEntry* entry) const { return entry->node->pattern; }
std::string_view SubscriptionTrie::queue_of(const TrieEntry* entry) const { return entry->node->queue; }
size_t SubscriptionTrie::count() const noexcept { return state_ == nullptr ? 0 : state_->nodes.size(); }

size_t SubscriptionTrie::memory_bytes() const noexcept {
  return state_ == nullptr ? 0 : state_->nodes.size() * (sizeof(TrieNode) + sizeof(void*));
}

void SubscriptionTrie::check_invariants() const {
  for (size_t i = 0; i < count(); ++i) {
    MARTLET_ASSERT(state_->nodes[i]->position == i);
    MARTLET_ASSERT(state_->nodes[i]->entry->node == state_->nodes[i].get());
  }
}

}  // namespace martlet::subject
