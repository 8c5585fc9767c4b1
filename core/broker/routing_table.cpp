// SPDX-License-Identifier: Apache-2.0
//
// Owns the order in which a change becomes visible: the trie first, then the counter, then the
// version.
#include "broker/routing_table.hpp"

#include "base/out_of_memory.hpp"
#include "broker/subject_hash.hpp"

namespace martlet::broker {
namespace {

uint16_t counter_of(uint64_t hash) {
  return static_cast<uint16_t>(hash % RoutingTable::counter_count);
}

}  // namespace

bool RoutingTable::insert(std::string_view pattern, std::string_view queue,
                          subject::TrieEntry* entry) {
  {
    std::unique_lock<std::shared_mutex> lock(mutex_);
    const bool inserted = trie_.insert(pattern, queue, entry);
    settle();
    if (!inserted) return false;
    raise(pattern);
  }
  inserts_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

void RoutingTable::remove(subject::TrieEntry* entry) {
  {
    std::unique_lock<std::shared_mutex> lock(mutex_);
    std::string pattern;
    const bool is_known = fits_into_memory([&] { pattern = trie_.pattern_of(entry); });
    trie_.remove(entry);
    settle();
    if (is_known) {
      raise(pattern);
    } else {
      raise_all();
    }
  }
  removes_.fetch_add(1, std::memory_order_relaxed);
}

void RoutingTable::charge_to(MemoryBudget* budget) {
  std::unique_lock<std::shared_mutex> lock(mutex_);
  if (budget_ != nullptr) budget_->remove(charged_bytes_);
  charged_bytes_ = 0;
  budget_ = budget;
  settle();
}

// Called with the lock held: the budget hears of what the trie has grown or shrunk by.
void RoutingTable::settle() {
  if (budget_ == nullptr) return;
  const int64_t bytes = static_cast<int64_t>(trie_.memory_bytes());
  if (bytes == charged_bytes_) return;
  budget_->add(bytes - charged_bytes_);
  charged_bytes_ = bytes;
}

// Called with the lock held, after the trie has changed.
void RoutingTable::raise(std::string_view pattern) {
  int tokens = 0;
  size_t start = 0;
  size_t literal_end = 0;  // Where the literal tokens counted so far end.
  bool literal = true;
  for (;;) {
    const size_t dot = pattern.find('.', start);
    const std::string_view token =
        pattern.substr(start, dot == std::string_view::npos ? dot : dot - start);
    if (token == "*" || token == ">") {
      literal = false;
      break;
    }
    if (tokens < RouteDependencies::depth_max) {
      tokens += 1;
      literal_end = start + token.size();
    }
    if (dot == std::string_view::npos) break;
    start = dot + 1;
  }
  const uint64_t hash =
      literal ? hash_text(pattern, ~seed_)
              : hash_text(pattern.substr(0, literal_end), seed_ + static_cast<uint64_t>(tokens));
  counters_[counter_of(hash)].fetch_add(1, std::memory_order_release);
  version_.fetch_add(1, std::memory_order_release);
}

// Which pattern has gone could not be found out: no loop may use what it has remembered.
void RoutingTable::raise_all() {
  for (std::atomic<uint32_t>& counter : counters_) counter.fetch_add(1, std::memory_order_release);
  version_.fetch_add(1, std::memory_order_release);
}

RouteDependencies RoutingTable::dependencies_of(std::string_view subject) const {
  RouteDependencies dependencies;
  const auto add = [&](uint64_t hash) {
    dependencies.counters[dependencies.count++] = counter_of(hash);
  };
  add(hash_text(subject, ~seed_));
  add(hash_text(std::string_view(), seed_));
  size_t start = 0;
  for (int depth = 1; depth <= RouteDependencies::depth_max; depth++) {
    const size_t dot = subject.find('.', start);
    add(hash_text(subject.substr(0, dot), seed_ + static_cast<uint64_t>(depth)));
    if (dot == std::string_view::npos) break;
    start = dot + 1;
  }
  return dependencies;
}

std::string RoutingTable::pattern_of(const subject::TrieEntry* entry) const {
  std::shared_lock<std::shared_mutex> lock(mutex_);
  return trie_.pattern_of(entry);
}

std::string RoutingTable::queue_of(const subject::TrieEntry* entry) const {
  std::shared_lock<std::shared_mutex> lock(mutex_);
  return std::string(trie_.queue_of(entry));
}

size_t RoutingTable::count() const {
  std::shared_lock<std::shared_mutex> lock(mutex_);
  return trie_.count();
}

size_t RoutingTable::memory_bytes() const {
  std::shared_lock<std::shared_mutex> lock(mutex_);
  return trie_.memory_bytes();
}

}  // namespace martlet::broker
