// SPDX-License-Identifier: Apache-2.0
//
// Goal: the trie finds exactly what `matches` says, whatever was inserted and removed before, also
// when memory fails, and leaves nothing behind. Method: tables taken from nats-server 2.15.2,
// random scripts against a plain list (the seed is printed; SEED in the environment replays it),
// and the sizes that have brought servers to their knees.
#include "subject/subscription_trie.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <new>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "subject/subject.hpp"
#include "tests/support/failing_memory.hpp"

namespace martlet::subject {
namespace {

struct Subscription : TrieEntry {
  std::string pattern;
  std::string queue;
};

/// What a message reaches, in an order that can be compared.
struct Reached {
  std::multiset<const TrieEntry*> plain;
  std::map<std::string, std::multiset<const TrieEntry*>> groups;
  bool operator==(const Reached&) const = default;
};

/// The trie and beside it a plain list that `matches` searches whole.
class Pair {
 public:
  ~Pair() {
    while (!list_.empty()) remove(list_.size() - 1);
  }

  bool insert(std::string_view pattern, std::string_view queue = {}) {
    auto subscription = std::make_unique<Subscription>();
    subscription->pattern = pattern;
    subscription->queue = queue;
    if (!trie.insert(pattern, queue, subscription.get())) {
      EXPECT_EQ(subscription->node, nullptr);
      return false;
    }
    EXPECT_NE(subscription->node, nullptr);
    list_.push_back(std::move(subscription));
    return true;
  }

  bool insert_with(test::FailingMemory& memory, std::string_view pattern, std::string_view queue) {
    auto subscription = std::make_unique<Subscription>();
    bool inserted = false;
    memory.during([&] { inserted = trie.insert(pattern, queue, subscription.get()); });
    if (!inserted) {
      EXPECT_EQ(subscription->node, nullptr);
      return false;
    }
    subscription->pattern = pattern;
    subscription->queue = queue;
    list_.push_back(std::move(subscription));
    return true;
  }

  void remove(size_t at) {
    trie.remove(list_[at].get());
    EXPECT_EQ(list_[at]->node, nullptr);
    EXPECT_EQ(list_[at]->group, nullptr);
    std::swap(list_[at], list_.back());
    list_.pop_back();
  }

  void remove_with_memory_failing(size_t at) {
    test::fail_allocation_after(0);
    trie.remove(list_[at].get());
    test::stop_failing_allocations();
    std::swap(list_[at], list_.back());
    list_.pop_back();
  }

  Reached found(std::string_view subject) {
    match_.clear();
    const std::string_view subjects[] = {subject, "a.b", subject.substr(subject.size() / 2), ""};
    trie.prefetch(subjects, 4);
    trie.match(subject, match_);
    Reached reached;
    reached.plain.insert(match_.plain.begin(), match_.plain.end());
    size_t members = 0;
    for (const GroupMatch& group : match_.groups) {
      EXPECT_LT(group.begin, group.end);
      EXPECT_LE(group.end, match_.members.size());
      members += group.end - group.begin;
      const std::string name(trie.queue_of(match_.members[group.begin]));
      EXPECT_FALSE(name.empty());
      EXPECT_EQ(reached.groups.count(name), 0U) << "two groups of one name";
      reached.groups[name].insert(match_.members.begin() + group.begin,
                                  match_.members.begin() + group.end);
    }
    EXPECT_EQ(members, match_.members.size());
    return reached;
  }

  Reached expected(std::string_view subject) const {
    Reached reached;
    for (const auto& subscription : list_) {
      if (!matches(subscription->pattern, subject)) continue;
      if (subscription->queue.empty()) {
        reached.plain.insert(subscription.get());
      } else {
        reached.groups[subscription->queue].insert(subscription.get());
      }
    }
    return reached;
  }

  void check_texts() const {
    for (const auto& subscription : list_) {
      ASSERT_EQ(trie.pattern_of(subscription.get()), subscription->pattern);
      ASSERT_EQ(trie.queue_of(subscription.get()), subscription->queue);
    }
  }

  size_t size() const { return list_.size(); }
  const Subscription& operator[](size_t at) const { return *list_[at]; }

  SubscriptionTrie trie;

 private:
  std::vector<std::unique_ptr<Subscription>> list_;
  Match match_;
};

void expect_same(Pair& pair, std::string_view subject) {
  EXPECT_TRUE(pair.found(subject) == pair.expected(subject))
      << "published: " << subject.substr(0, 200);
}

uint64_t seed_of_run() {
  const char* const given = std::getenv("SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 0) : std::random_device()();
}

TEST(SubscriptionTrie, an_empty_one_holds_and_finds_nothing) {
  SubscriptionTrie trie;
  Match match;
  const std::string_view subject = "a";
  trie.prefetch(&subject, 1);
  trie.match(subject, match);
  EXPECT_TRUE(match.plain.empty() && match.groups.empty() && match.members.empty());
  EXPECT_EQ(trie.count(), 0U);
  EXPECT_EQ(trie.memory_bytes(), 0U);
  trie.check_invariants();
}

TEST(SubscriptionTrie, deliveries_are_those_of_nats_server) {
  // The verdicts for these subjects are in subject_test.cpp, from the server itself.
  Pair pair;
  for (const char* pattern : {"a", "a.b", "*", ">", "a.*", "a.>", "*.b", "*.*", "*.>", "a*", "a.b>",
                              "**", ">>", "a.*.c", "a.b.>", "*.*.*"}) {
    ASSERT_TRUE(pair.insert(pattern));
    pair.trie.check_invariants();
  }
  for (const char* subject :
       {"a",     "a.b",   "*",  ">",  "a.*", "a.>",  "*.b",   "*.*", "*.>",     ">.b",    ">.>",
        "a.>.c", "a.*.c", "a*", "**", ">>",  "a.b>", "a.b.c", "b",   "b.c.d.e", "a.b.c.d"}) {
    EXPECT_FALSE(pair.expected(subject).plain.empty()) << subject;
    expect_same(pair, subject);
  }
  for (const char* subject :
       {"", ".", "..", "a..b", ".a", "a.", "a.b.", "a..", ".a.b", ">.", "*.", "...a", "aaaaaaa.",
        "aaaaaaa..b", "aaaaaaaa..b", ".aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaa.."}) {
    EXPECT_TRUE(pair.found(subject) == Reached{}) << subject;
  }
}

TEST(SubscriptionTrie, groups_of_one_name_on_several_patterns_are_one) {
  Pair pair;
  for (const char* pattern : {"q.a", "q.*", "q.>", ">", "q.a"})
    ASSERT_TRUE(pair.insert(pattern, "g"));
  for (const char* pattern : {"q.>", "q.b"}) ASSERT_TRUE(pair.insert(pattern, "h"));
  ASSERT_TRUE(pair.insert("q.a"));
  pair.trie.check_invariants();
  const Reached reached = pair.found("q.a");
  ASSERT_EQ(reached.groups.size(), 2U);
  EXPECT_EQ(reached.groups.at("g").size(), 5U);
  EXPECT_EQ(reached.groups.at("h").size(), 1U);
  EXPECT_EQ(reached.plain.size(), 1U);
  expect_same(pair, "q.b");
  pair.check_texts();
}

TEST(SubscriptionTrie, match_appends) {
  Pair first;
  Pair second;
  ASSERT_TRUE(first.insert("a"));
  ASSERT_TRUE(first.insert("a", "g"));
  ASSERT_TRUE(first.insert(">", "g"));
  ASSERT_TRUE(second.insert("a"));
  ASSERT_TRUE(second.insert("a", "g"));
  ASSERT_TRUE(second.insert("*", "g"));
  Match match;
  first.trie.match("a", match);
  second.trie.match("a", match);
  EXPECT_EQ(match.plain, (std::vector<TrieEntry*>{const_cast<Subscription*>(&first[0]),
                                                  const_cast<Subscription*>(&second[0])}));
  ASSERT_EQ(match.groups.size(), 2U);
  EXPECT_EQ(match.members.size(), 4U);
  EXPECT_EQ(match.groups[1].begin, 2U);
  EXPECT_EQ(match.groups[1].end, 4U);
}

std::string random_text(Random& random, bool is_pattern) {
  static const char* const tokens[] = {"a",  "b",  "c",        "aa",        "*a",
                                       "b>", "**", "abcdefgh", "abcdefghi", "dev"};
  std::string text;
  const uint32_t shape = random.below(40);
  const uint32_t token_total =
      shape == 0 ? 60 + random.below(120) : 1 + random.below(shape < 30 ? 4 : 8);
  for (uint32_t i = 0; i < token_total; ++i) {
    if (i > 0) text += '.';
    const uint32_t kind = random.below(24);
    if (kind < 4) {
      text += '*';
    } else if (kind == 4 && (i + 1 == token_total || !is_pattern)) {
      text += '>';
    } else if (kind == 5 && random.below(8) == 0) {
      text += std::string(200 + random.below(100), static_cast<char>('x' + random.below(2)));
    } else if (kind == 6 && !is_pattern && random.below(4) == 0) {
      // An empty token.
    } else {
      text += tokens[random.below(shape < 30 ? 3 : 10)];
    }
  }
  return text;
}

void run_script(uint64_t seed, bool memory_fails) {
  Random random(seed);
  Pair pair;
  static const char* const queues[] = {
      "", "", "", "", "g", "h", "workers.with.a.long.name.of.their.own"};
  const uint32_t size_wanted = 1 + random.below(120);
  for (int i = 0; i < 400; ++i) {
    if (pair.size() < 2 * size_wanted && random.below(2 * size_wanted) >= pair.size()) {
      const std::string pattern = random_text(random, true);
      const char* const queue = queues[random.below(7)];
      if (memory_fails) {
        test::FailingMemory memory(random.below(8), test::Failing::once);
        pair.insert_with(memory, pattern, queue);
      } else {
        ASSERT_TRUE(pair.insert(pattern, queue));
      }
    } else if (pair.size() > 0) {
      const size_t at = random.below(static_cast<uint32_t>(pair.size()));
      if (memory_fails) {
        pair.remove_with_memory_failing(at);
      } else {
        pair.remove(at);
      }
    }
    if (i % 8 == 0) pair.trie.check_invariants();
    ASSERT_EQ(pair.trie.count(), pair.size());
    expect_same(pair, random_text(random, false));
    if (pair.size() > 0)
      expect_same(pair, pair[random.below(static_cast<uint32_t>(pair.size()))].pattern);
    if (testing::Test::HasFailure()) return;
  }
  pair.trie.check_invariants();
  pair.check_texts();
  while (pair.size() > 0) pair.remove(random.below(static_cast<uint32_t>(pair.size())));
  EXPECT_EQ(pair.trie.memory_bytes(), 0U);
}

void run_scripts(bool memory_fails) {
  const uint64_t seed = seed_of_run();
  std::printf("SEED=%llu\n", static_cast<unsigned long long>(seed));
  for (uint64_t i = 0; i < 150 && !testing::Test::HasFailure(); ++i)
    run_script(seed + i, memory_fails);
}

TEST(SubscriptionTrie, random_scripts_agree_with_a_plain_list) { run_scripts(false); }

TEST(SubscriptionTrie, random_scripts_agree_also_when_memory_fails) { run_scripts(true); }

TEST(SubscriptionTrie, an_insert_that_fails_changes_nothing) {
  // Every allocation of every kind of change fails once: a new path, a long one, a split, a group,
  // a set.
  const std::string long_token(400, 'l');
  std::string long_pattern = "long";
  for (int i = 0; i < 300; ++i) long_pattern += ".token";
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"x.y.z", ""},    {"a.b.x", ""},       {"a.b", ""},       {"a.b.c.d", ""},
      {"a.b.c.d", "g"}, {"a.b.c.d", "h"},    {"p", ""},         {"p", "g"},
      {long_token, ""}, {long_pattern, "n"}, {"a.*", ""},       {"a.>", ""},
      {"a.b.c", "g"},   {"s", "other"},      {"a.b.c.d.e", ""}, {"a." + long_token + ".b", ""}};
  int64_t all_failures = 0;  // What has its place already needs none.
  for (const auto& change : changes) {
    const auto round = [&change](test::FailingMemory& memory) {
      const auto& [pattern, queue] = change;
      Pair pair;
      for (const char* there : {"a.b.c.d", "p", "s", "t"}) ASSERT_TRUE(pair.insert(there));
      ASSERT_TRUE(pair.insert("s", "g"));
      const bool inserted = pair.insert_with(memory, pattern, queue);
      ASSERT_EQ(inserted, !memory.has_failed());
      pair.trie.check_invariants();
      pair.check_texts();
      ASSERT_EQ(pair.trie.count(), inserted ? 6U : 5U);
      for (const char* subject : {"a.b.c.d", "p", "s", "t", "a.b", "x.y.z"})
        expect_same(pair, subject);
      expect_same(pair, pattern);
      if (inserted) return;
      ASSERT_TRUE(pair.insert(pattern, queue));
      expect_same(pair, pattern);
      pair.trie.check_invariants();
    };
    const int64_t failures = test::fail_each_allocation(test::Failing::once, round);
    EXPECT_LT(failures, 60) << change.first;
    all_failures += failures;
  }
  EXPECT_GT(all_failures, 20);
}

TEST(SubscriptionTrie, a_pattern_of_a_million_tokens) {
  std::string text = "a";
  for (int i = 1; i < 1'000'000; ++i) text += ".a";
  Pair pair;
  ASSERT_TRUE(pair.insert(text));
  ASSERT_TRUE(pair.insert("*.a.*.>"));
  pair.trie.check_invariants();
  pair.check_texts();
  EXPECT_EQ(pair.found(text).plain.size(), 2U);
  EXPECT_EQ(pair.found(text + ".a").plain.size(), 1U);
  EXPECT_LT(pair.trie.memory_bytes(), 4 * text.size());
  // Splitting such a path in many places and joining it again leaves it as lean as before.
  const size_t bytes_before = pair.trie.memory_bytes();
  for (size_t bytes = 1; bytes < 10'000; bytes += 2)
    ASSERT_TRUE(pair.insert(std::string_view(text).substr(0, bytes)));
  while (pair.size() > 2) pair.remove(2);
  EXPECT_LT(pair.trie.memory_bytes(), bytes_before + 300'000);
  pair.trie.check_invariants();
}

TEST(SubscriptionTrie, patterns_that_are_each_a_prefix_of_the_next) {
  Pair pair;
  std::string text = "a";
  for (int i = 0; i < 2'000; ++i) {
    ASSERT_TRUE(pair.insert(text));
    ASSERT_TRUE(pair.insert(text + ".>"));
    ASSERT_TRUE(pair.insert(text + ".*"));
    text += ".a";
  }
  pair.trie.check_invariants();
  expect_same(pair, text);
  expect_same(pair, std::string_view(text).substr(0, 999));
  expect_same(pair, std::string_view(text).substr(0, 1001));
}

TEST(SubscriptionTrie, a_hundred_thousand_queue_groups_on_one_subject) {
  constexpr size_t group_total = 100'000;
  SubscriptionTrie trie;
  std::vector<TrieEntry> entries(2 * group_total);
  for (size_t i = 0; i < entries.size(); ++i) {
    ASSERT_TRUE(trie.insert(i < group_total ? "s.t" : "s.*", "g" + std::to_string(i % group_total),
                            &entries[i]));
  }
  trie.check_invariants();
  Match match;
  trie.match("s.t", match);
  ASSERT_EQ(match.groups.size(), group_total);
  EXPECT_EQ(match.members.size(), 2 * group_total);
  for (const GroupMatch& group : match.groups) {
    ASSERT_EQ(group.end - group.begin, 2U);
    ASSERT_EQ(trie.queue_of(match.members[group.begin]),
              trie.queue_of(match.members[group.begin + 1]));
  }
  EXPECT_LE(trie.memory_bytes(), entries.size() * 120);
  for (size_t i = 0; i < entries.size(); i += 2) trie.remove(&entries[i]);
  trie.check_invariants();
  for (size_t i = 1; i < entries.size(); i += 2) trie.remove(&entries[i]);
  EXPECT_EQ(trie.memory_bytes(), 0U);
}

TEST(SubscriptionTrie, a_million_patterns_below_one_parent_are_lean) {
  constexpr uint32_t total = 1'000'000;
  SubscriptionTrie trie;
  std::vector<TrieEntry> entries(total);
  for (uint32_t i = 0; i < total; ++i) {
    ASSERT_TRUE(
        trie.insert("dev." + std::to_string(100'000'000 + i * 7) + ".*.>", {}, &entries[i]));
  }
  EXPECT_LE(trie.memory_bytes(), total * size_t{70});
  Match match;
  for (uint32_t i = 0; i < total; i += 997) {
    match.clear();
    trie.match("dev." + std::to_string(100'000'000 + i * 7) + ".t.v", match);
    ASSERT_EQ(match.plain, std::vector<TrieEntry*>{&entries[i]});
    match.clear();
    trie.match("dev." + std::to_string(100'000'000 + i * 7 + 1) + ".t.v", match);
    ASSERT_TRUE(match.plain.empty());
  }
  for (uint32_t i = 1; i < total; ++i) trie.remove(&entries[i]);
  trie.check_invariants();
  EXPECT_LE(trie.memory_bytes(), 64 * size_t{1024});
  trie.remove(&entries[0]);
  EXPECT_EQ(trie.memory_bytes(), 0U);
}

TEST(SubscriptionTrie, churn_of_inboxes_leaves_no_garbage) {
  constexpr size_t live_total = 1'000;
  SubscriptionTrie trie;
  std::vector<TrieEntry> entries(live_total);
  Random random(7);
  size_t bytes_first = 0;
  for (size_t i = 0; i < 200'000; ++i) {
    TrieEntry& entry = entries[i % live_total];
    if (entry.node != nullptr) trie.remove(&entry);
    char pattern[64];
    std::snprintf(pattern, sizeof pattern, "_INBOX.%016llx%06x.*",
                  static_cast<unsigned long long>(random.next()), random.below(1U << 24));
    ASSERT_TRUE(trie.insert(pattern, {}, &entry));
    if (i == 2 * live_total) bytes_first = trie.memory_bytes();
  }
  trie.check_invariants();
  EXPECT_LE(trie.memory_bytes(), 2 * bytes_first);
}

TEST(SubscriptionTrie, one_that_ends_before_its_entries_gives_its_memory_back) {
  // The sanitizer's leak check is the judge.
  TrieEntry entries[7];
  SubscriptionTrie trie;
  ASSERT_TRUE(trie.insert("a.b", {}, &entries[0]));
  ASSERT_TRUE(trie.insert("a.b", "g", &entries[1]));
  ASSERT_TRUE(trie.insert("a.c", {}, &entries[2]));
  ASSERT_TRUE(trie.insert(std::string(500, 'x'), {}, &entries[3]));
  ASSERT_TRUE(trie.insert("a.b", "g", &entries[4]));
  ASSERT_TRUE(trie.insert("a.>", {}, &entries[5]));
  ASSERT_TRUE(trie.insert("a.*.b", "h", &entries[6]));
  EXPECT_EQ(trie.count(), 7U);
}

}  // namespace
}  // namespace martlet::subject
