// SPDX-License-Identifier: Apache-2.0
//
// Goal: no script of insertions, removals and publications makes the subject trie differ from a
// plain list, break an invariant or leak. Method: each input is a script, one operation a line;
// `matches` is the oracle of the trie, and rules written the slow way, token by token, are the
// oracle of `matches`, `is_valid` and `is_subset`.
//   +PATTERN [QUEUE]   insert     -N   remove the Nth     anything else   publish it
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.hpp"
#include "subject/subject.hpp"
#include "subject/subscription_trie.hpp"

namespace {

using namespace martlet::subject;

constexpr size_t subscriptions_max = 200;

struct Subscription : TrieEntry {
  std::string pattern;
  std::string queue;
};
using Subscriptions = std::vector<std::unique_ptr<Subscription>>;

std::vector<std::string> tokens_of(std::string_view text) {
  std::vector<std::string> tokens(1);
  for (const char c : text) {
    if (c == '.') {
      tokens.emplace_back();
    } else {
      tokens.back() += c;
    }
  }
  return tokens;
}

bool slow_is_valid(std::string_view text) {
  if (text.find_first_of(" \t\r\n") != std::string_view::npos) return false;
  const std::vector<std::string> tokens = tokens_of(text);
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].empty() || (tokens[i] == ">" && i + 1 != tokens.size())) return false;
  }
  return true;
}

bool slow_matches(std::string_view pattern, std::string_view literal) {
  const std::vector<std::string> wanted = tokens_of(pattern);
  const std::vector<std::string> given = tokens_of(literal);
  if (std::find(given.begin(), given.end(), "") != given.end()) return false;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (i >= given.size()) return false;
    if (wanted[i] == ">") return true;
    if (wanted[i] != "*" && wanted[i] != given[i]) return false;
  }
  return wanted.size() == given.size();
}

void check_rules(std::string_view text, const Subscriptions& subscriptions) {
  const bool valid = slow_is_valid(text);
  MARTLET_ASSERT(is_valid(text) == valid);
  MARTLET_ASSERT(is_valid_literal(text) == (valid && is_literal(text)));
  if (!text.empty()) MARTLET_ASSERT(token_count(text) == tokens_of(text).size());
  for (const auto& subscription : subscriptions) {
    const bool matched = slow_matches(subscription->pattern, text);
    MARTLET_ASSERT(matches(subscription->pattern, text) == matched);
    // A valid literal is the narrowest pattern there is.
    if (valid && is_literal(text))
      MARTLET_ASSERT(is_subset(text, subscription->pattern) == matched);
  }
}

void check_match(const SubscriptionTrie& trie, const Subscriptions& subscriptions,
                 std::string_view subject, Match& match) {
  std::vector<const TrieEntry*> plain;
  std::map<std::string_view, std::vector<const TrieEntry*>> groups;
  for (const auto& subscription : subscriptions) {
    if (!slow_matches(subscription->pattern, subject)) continue;
    (subscription->queue.empty() ? plain : groups[subscription->queue])
        .push_back(subscription.get());
  }
  match.clear();
  trie.prefetch(&subject, 1);
  trie.match(subject, match);
  std::sort(plain.begin(), plain.end());
  std::sort(match.plain.begin(), match.plain.end());
  MARTLET_ASSERT(std::equal(plain.begin(), plain.end(), match.plain.begin(), match.plain.end()));
  MARTLET_ASSERT(groups.size() == match.groups.size());
  for (const GroupMatch& found : match.groups) {
    MARTLET_ASSERT(found.begin < found.end && found.end <= match.members.size());
    const auto begin = match.members.begin() + found.begin;
    const auto end = match.members.begin() + found.end;
    std::vector<const TrieEntry*>& expected = groups[trie.queue_of(*begin)];
    std::sort(expected.begin(), expected.end());
    std::sort(begin, end);
    MARTLET_ASSERT(std::equal(expected.begin(), expected.end(), begin, end));
  }
}

void insert(SubscriptionTrie& trie, Subscriptions& subscriptions, std::string_view line) {
  const size_t space = line.find(' ');
  const std::string_view pattern = line.substr(0, space);
  if (!is_valid(pattern) || subscriptions.size() == subscriptions_max) return;
  auto made = std::make_unique<Subscription>();
  made->pattern = pattern;
  made->queue = space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
  MARTLET_ASSERT(trie.insert(made->pattern, made->queue, made.get()));
  MARTLET_ASSERT(trie.pattern_of(made.get()) == made->pattern);
  MARTLET_ASSERT(trie.queue_of(made.get()) == made->queue);
  subscriptions.push_back(std::move(made));
}

void remove(SubscriptionTrie& trie, Subscriptions& subscriptions, size_t at) {
  trie.remove(subscriptions[at].get());
  std::swap(subscriptions[at], subscriptions.back());
  subscriptions.pop_back();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  std::string_view script(reinterpret_cast<const char*>(data), bytes);
  SubscriptionTrie trie;
  Subscriptions subscriptions;
  Match match;
  for (uint32_t line_number = 0; !script.empty(); ++line_number) {
    const size_t stop = script.find('\n');
    const std::string_view line = script.substr(0, stop);
    script.remove_prefix(stop == std::string_view::npos ? script.size() : stop + 1);
    if (!line.empty() && line[0] == '+') {
      insert(trie, subscriptions, line.substr(1));
    } else if (!line.empty() && line[0] == '-') {
      if (!subscriptions.empty()) {
        remove(
            trie, subscriptions,
            std::strtoul(std::string(line.substr(1)).c_str(), nullptr, 10) % subscriptions.size());
      }
    } else {
      // Copied, so that a byte read beyond the text is found.
      const std::unique_ptr<char[]> exact(new char[line.size()]);
      std::copy(line.begin(), line.end(), exact.get());
      check_rules({exact.get(), line.size()}, subscriptions);
      check_match(trie, subscriptions, {exact.get(), line.size()}, match);
    }
    if (line_number % 4 == 0) trie.check_invariants();
    MARTLET_ASSERT(trie.count() == subscriptions.size());
  }
  trie.check_invariants();
  // Half of the inputs leave the trie to end with its subscriptions in it.
  while (bytes % 2 == 0 && !subscriptions.empty())
    remove(trie, subscriptions, subscriptions.size() - 1);
  if (bytes % 2 == 0) MARTLET_ASSERT(trie.memory_bytes() == 0);
  return 0;
}
