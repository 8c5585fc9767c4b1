// SPDX-License-Identifier: Apache-2.0
//
// Owns the building of routes and their keeping.
#include "broker/route_cache.hpp"

#include <algorithm>

namespace martlet::broker {

size_t Route::bytes() const {
  return sizeof(Route) + local.capacity() * sizeof(Subscription*) +
         remote.capacity() * sizeof(RemoteReceiver) + members.capacity() * sizeof(GroupMember) +
         groups.capacity() * sizeof(RouteGroup) + subject.capacity();
}

void Route::clear() {
  local.clear();
  remote.clear();
  members.clear();
  groups.clear();
}

RouteCache::RouteCache(uint32_t loop, uint64_t seed, MemoryBudget& budget)
    : loop_(loop), seed_(seed), budget_(budget), slots_(entries_max), seen_(entries_max / 2) {}

RouteCache::~RouteCache() { clear(); }

void RouteCache::clear() {
  for (uint32_t i = 0; i < entries_max; i++) drop(i);
  keep_wide(nullptr);
}

// What the budget is told of a route: `bytes`, until it is told otherwise.
void RouteCache::charge(Route& route, size_t bytes) {
  if (&route != wide_.get()) bytes_ += bytes - route.charged_bytes;
  budget_.add(static_cast<int64_t>(bytes) - static_cast<int64_t>(route.charged_bytes));
  route.charged_bytes = bytes;
}

// In place of the one before.
void RouteCache::keep_wide(std::unique_ptr<Route> route) {
  if (wide_ != nullptr) {
    if (last_ == wide_.get()) last_ = nullptr;
    charge(*wide_, 0);
  }
  wide_ = std::move(route);
  if (wide_ != nullptr) charge(*wide_, wide_->bytes());
}

void RouteCache::drop(uint32_t index) {
  if (slots_[index] == nullptr) return;
  if (last_ == slots_[index].get()) last_ = nullptr;
  charge(*slots_[index], 0);
  entry_count_ -= 1;
  slots_[index].reset();
}

uint64_t RouteCache::hash_of(const Account& account, std::string_view subject) const {
  return hash_text(subject, seed_ + account.id() * 0x9e3779b97f4a7c15ULL);
}

// The route of an entry whose table has changed since: used as it is when nothing it depends on has
// changed, built anew in place otherwise.
void RouteCache::revalidate(Account& account, Route& route) {
  const uint64_t version = account.routing().version();
  const uint64_t change_sum = account.routing().change_sum(route.dependencies);
  if (change_sum != route.change_sum) {
    // Should memory fail in it, the route keeps its old sum and is built again the next time.
    build(account, route.subject, route);
    charge(route, route.bytes());
    route.change_sum = change_sum;
  }
  route.version = version;
}

const Route& RouteCache::find_slow(Account& account, std::string_view subject, uint64_t hash,
                                   uint32_t set) {
  if (wide_ != nullptr && wide_->hash == hash && wide_->account == &account &&
      wide_->subject == subject) {
    hits_ += 1;
    if (wide_->version != account.routing().version()) revalidate(account, *wide_);
    last_ = wide_.get();
    return *wide_;
  }
  misses_ += 1;
  const uint16_t fingerprint = static_cast<uint16_t>(hash >> 48);
  if (seen_[set] != fingerprint) {
    seen_[set] = fingerprint;
    build(account, subject, scratch_);
    scratch_.cost += miss_cost;
    return scratch_;
  }
  auto route = std::make_unique<Route>();
  route->account = &account;
  route->hash = hash;
  route->subject = subject;
  route->dependencies = account.routing().dependencies_of(subject);
  // Read before the match: what changes in between makes the entry older than it is, never newer.
  route->version = account.routing().version();
  route->change_sum = account.routing().change_sum(route->dependencies);
  build(account, subject, *route);
  const size_t bytes = route->bytes();
  if (budget_.caches_must_shrink()) {
    clear();
    std::swap(scratch_, *route);
    return scratch_;
  }
  if (bytes > route_bytes_max) {
    scratch_ = Route();  // When the subject was seen first this was as wide.
    keep_wide(std::move(route));
    return *wide_;
  }
  if (bytes_ + bytes > bytes_max) clear();
  const uint32_t way = slots_[set * 2] == nullptr       ? 0
                       : slots_[set * 2 + 1] == nullptr ? 1
                                                        : (hash >> 40) & 1;
  drop(set * 2 + way);
  charge(*route, bytes);
  entry_count_ += 1;
  slots_[set * 2 + way] = std::move(route);
  return *slots_[set * 2 + way];
}

void RouteCache::build(Account& account, std::string_view subject, Route& route) {
  route.clear();
  account.routing().match(
      subject, scratch_match_, [&](const subject::Match& match, const auto& trie) {
        for (subject::TrieEntry* entry : match.plain) {
          Subscription* subscription = static_cast<Subscription*>(entry);
          if (entry->loop == loop_) {
            route.local.push_back(subscription);
          } else {
            route.remote.push_back({entry->loop, subscription->handle});
          }
        }
        for (const subject::GroupMatch& group : match.groups) {
          const uint32_t begin = static_cast<uint32_t>(route.members.size());
          for (uint32_t i = group.begin; i < group.end; i++) {
            Subscription* subscription = static_cast<Subscription*>(match.members[i]);
            const bool is_local = subscription->loop == loop_;
            route.members.push_back(
                {is_local ? subscription : nullptr, {subscription->loop, subscription->handle}});
          }
          const uint64_t name_hash = queue_name_hash(trie.queue_of(match.members[group.begin]));
          route.groups.push_back({name_hash, begin, static_cast<uint32_t>(route.members.size())});
        }
      });
  std::stable_sort(
      route.remote.begin(), route.remote.end(),
      [](const RemoteReceiver& a, const RemoteReceiver& b) { return a.loop < b.loop; });
  route.cost = static_cast<int64_t>(route.local.size() + route.remote.size() + route.groups.size());
}

}  // namespace martlet::broker
