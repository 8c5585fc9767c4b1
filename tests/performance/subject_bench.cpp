// SPDX-License-Identifier: Apache-2.0
//
// Goal: what the subject trie costs in time and bytes where a broker feels it: a million patterns
// below one parent, few patterns used all the time, a hundred thousand queue groups, inboxes that
// come and go. Method: google-benchmark; the counter bytes_each is the trie's own heap for each
// entry, longest_us the slowest single insert.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "subject/subject.hpp"
#include "subject/subscription_trie.hpp"

namespace martlet::subject {
namespace {

constexpr uint32_t device_total = 1'000'000;

/// Distinct, nine digits, in no order.
uint32_t device_number(uint32_t i) {
  return 100'000'000 + static_cast<uint32_t>((i * uint64_t{7919 * 641}) % 899'999'963);
}

std::vector<std::string> device_texts(const char* ending) {
  std::vector<std::string> texts;
  texts.reserve(device_total);
  for (uint32_t i = 0; i < device_total; ++i)
    texts.push_back("dev." + std::to_string(device_number(i)) + ending);
  return texts;
}

bool insert_all(SubscriptionTrie& trie, const std::vector<std::string>& patterns,
                std::vector<TrieEntry>& entries) {
  for (size_t i = 0; i < patterns.size(); ++i) {
    if (!trie.insert(patterns[i], {}, &entries[i])) return false;
  }
  return true;
}

void insert_million_below_one_parent(benchmark::State& state) {
  const std::vector<std::string> patterns = device_texts(".*.>");
  size_t bytes = 0;
  for (auto _ : state) {
    state.PauseTiming();
    std::vector<TrieEntry> entries(device_total);
    SubscriptionTrie trie;
    state.ResumeTiming();
    if (!insert_all(trie, patterns, entries)) state.SkipWithError("memory");
    state.PauseTiming();
    bytes = trie.memory_bytes();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * device_total);
  state.counters["bytes_each"] = static_cast<double>(bytes) / device_total;
}
BENCHMARK(insert_million_below_one_parent)->Unit(benchmark::kMillisecond)->Iterations(3);

void insert_longest_pause(benchmark::State& state) {
  const std::vector<std::string> patterns = device_texts(".*.>");
  // Time of the processor, so that a busy machine is not taken for a slow insert.
  std::clock_t longest = 0;
  for (auto _ : state) {
    std::vector<TrieEntry> entries(device_total);
    SubscriptionTrie trie;
    for (size_t i = 0; i < patterns.size(); ++i) {
      const std::clock_t begin = std::clock();
      if (!trie.insert(patterns[i], {}, &entries[i])) state.SkipWithError("memory");
      longest = std::max(longest, std::clock() - begin);
    }
  }
  state.counters["longest_us"] = static_cast<double>(longest) * 1e6 / CLOCKS_PER_SEC;
}
BENCHMARK(insert_longest_pause)->Unit(benchmark::kMillisecond)->Iterations(1);

void remove_million_below_one_parent(benchmark::State& state) {
  const std::vector<std::string> patterns = device_texts(".*.>");
  for (auto _ : state) {
    state.PauseTiming();
    std::vector<TrieEntry> entries(device_total);
    SubscriptionTrie trie;
    if (!insert_all(trie, patterns, entries)) state.SkipWithError("memory");
    state.ResumeTiming();
    for (TrieEntry& entry : entries) trie.remove(&entry);
  }
  state.SetItemsProcessed(state.iterations() * device_total);
}
BENCHMARK(remove_million_below_one_parent)->Unit(benchmark::kMillisecond)->Iterations(2);

void match_random_among_million(benchmark::State& state) {
  std::vector<TrieEntry> entries(device_total);
  SubscriptionTrie trie;
  if (!insert_all(trie, device_texts(".*.>"), entries)) state.SkipWithError("memory");
  // The subjects lie in a block that the processor reads ahead of us: the misses are the trie's
  // own.
  constexpr uint32_t subject_total = 1U << 18;
  constexpr uint32_t stride = 24;
  std::vector<char> texts(size_t{subject_total} * stride);
  std::vector<uint8_t> lengths(subject_total);
  Random random(5);
  for (uint32_t i = 0; i < subject_total; ++i) {
    const int length = std::snprintf(&texts[size_t{i} * stride], stride, "dev.%u.t.v",
                                     device_number(random.below(device_total)));
    lengths[i] = static_cast<uint8_t>(length);
  }
  Match match;
  uint32_t i = 0;
  size_t found = 0;
  for (auto _ : state) {
    match.clear();
    trie.match({&texts[size_t{i} * stride], lengths[i]}, match);
    found += match.plain.size();
    i = (i + 1) % subject_total;
  }
  if (found != static_cast<size_t>(state.iterations()))
    state.SkipWithError("a subject was not found");
}
BENCHMARK(match_random_among_million);

void match_hot_and_small(benchmark::State& state) {
  std::vector<TrieEntry> entries(8);
  SubscriptionTrie trie;
  if (!insert_all(trie,
                  {"orders.created", "orders.*.eu", "orders.paid", "stock.>", "a", "b.c",
                   "_INBOX.x7dk2.*", "log.>"},
                  entries)) {
    state.SkipWithError("memory");
  }
  const std::string subjects[] = {"orders.created", "a", "stock.nyse.ibm", "_INBOX.x7dk2.17",
                                  "orders.paid.eu"};
  const std::string& subject = subjects[state.range(0)];
  state.SetLabel(subject);
  Match match;
  for (auto _ : state) {
    match.clear();
    trie.match(subject, match);
    benchmark::DoNotOptimize(match.plain.data());
  }
  if (match.plain.size() != 1) state.SkipWithError("not found");
}
BENCHMARK(match_hot_and_small)->DenseRange(0, 4);

void match_group_of_two(benchmark::State& state) {
  std::vector<TrieEntry> entries(4);
  SubscriptionTrie trie;
  const bool inserted = trie.insert("work.items", "g", &entries[0]) &&
                        trie.insert("work.items", "g", &entries[1]) &&
                        (state.range(0) == 0 || trie.insert("work.*", "g", &entries[2]));
  if (!inserted) state.SkipWithError("memory");
  state.SetLabel(state.range(0) == 0 ? "one pattern" : "two patterns");
  Match match;
  for (auto _ : state) {
    match.clear();
    trie.match("work.items", match);
    benchmark::DoNotOptimize(match.members.data());
  }
  if (match.groups.size() != 1) state.SkipWithError("not found");
}
BENCHMARK(match_group_of_two)->DenseRange(0, 1);

void match_hundred_thousand_groups(benchmark::State& state) {
  constexpr uint32_t group_total = 100'000;
  std::vector<TrieEntry> entries(group_total * 2);
  SubscriptionTrie trie;
  for (uint32_t i = 0; i < group_total * (1 + state.range(0)); ++i) {
    if (!trie.insert(i < group_total ? "s.t" : "s.*", "group" + std::to_string(i % group_total),
                     &entries[i])) {
      state.SkipWithError("memory");
    }
  }
  state.SetLabel(state.range(0) == 0 ? "one pattern" : "two patterns, names shared");
  Match match;
  for (auto _ : state) {
    match.clear();
    trie.match("s.t", match);
    benchmark::DoNotOptimize(match.members.data());
  }
  state.counters["bytes_each"] =
      static_cast<double>(trie.memory_bytes()) / static_cast<double>(trie.count());
}
BENCHMARK(match_hundred_thousand_groups)->DenseRange(0, 1)->Unit(benchmark::kMicrosecond);

void inbox_comes_and_goes(benchmark::State& state) {
  std::vector<TrieEntry> entries(1000);
  SubscriptionTrie trie;
  Random random(9);
  size_t i = 0;
  char pattern[64];
  for (auto _ : state) {
    TrieEntry& entry = entries[i++ % entries.size()];
    if (entry.node != nullptr) trie.remove(&entry);
    std::snprintf(pattern, sizeof pattern, "_INBOX.%016llx%06x.*",
                  static_cast<unsigned long long>(random.next()), random.below(1U << 24));
    if (!trie.insert(pattern, {}, &entry)) state.SkipWithError("memory");
  }
  state.counters["bytes_each"] =
      static_cast<double>(trie.memory_bytes()) / static_cast<double>(trie.count());
}
BENCHMARK(inbox_comes_and_goes);

void check_subject(benchmark::State& state) {
  const std::string subject = "dev.123456789.temperature.value";
  for (auto _ : state) benchmark::DoNotOptimize(is_valid(subject));
}
BENCHMARK(check_subject);

}  // namespace
}  // namespace martlet::subject
