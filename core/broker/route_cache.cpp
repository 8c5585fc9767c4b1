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
  if (slots_[index] != nullptr) take(slots_[index]).reset();
}

uint64_t RouteCache::hash_of(const Account& account, std::string_view subject) const {
  return hash_text(subject, seed_ + account.id() * 0x9e3779b97f4a7c15ULL);
}

// The route of an entry whose table has changed since: used as it is when nothing it depends on has
// changed, built anew otherwise.
const Route& RouteCache::revalidate(Account& account, Route& route) {
  const uint64_t version = account.routing().version();
  const uint64_t change_sum = account.routing().change_sum(route.dependencies);
  if (change_sum == route.change_sum) {
    route.version = version;
    return route;
  }
  // Should memory fail in it, the route keeps its old sum and is built again the next time.
  build(account, route.subject, route);
  charge(route, route.bytes());
  route.change_sum = change_sum;
  route.version = version;
  return keep_within_bounds(route);
}

// An entry that was built anew may be wider than it was: it stays, it goes, or others go for it.
const Route& RouteCache::keep_within_bounds(Route& route) {
  if (budget_.caches_must_shrink()) {
    charge(route, 0);
    std::swap(scratch_, route);
    clear();
    return scratch_;
  }
  const bool is_wide = &route == wide_.get();
  if (is_wide || (route.charged_bytes <= route_bytes_max && bytes_ <= bytes_max)) return route;
  const uint32_t set = static_cast<uint32_t>(route.hash) & (entries_max / 2 - 1);
  std::unique_ptr<Route>& slot =
      slots_[set * 2].get() == &route ? slots_[set * 2] : slots_[set * 2 + 1];
  const size_t bytes = route.charged_bytes;
  std::unique_ptr<Route> kept = take(slot);
  if (bytes > route_bytes_max) {
    keep_wide(std::move(kept));
    return *wide_;
  }
  clear();
  return put(slot, std::move(kept), bytes);
}

// Out of its slot; it is charged no more.
std::unique_ptr<Route> RouteCache::take(std::unique_ptr<Route>& slot) {
  if (last_ == slot.get()) last_ = nullptr;
  charge(*slot, 0);
  entry_count_ -= 1;
  return std::move(slot);
}

const Route& RouteCache::put(std::unique_ptr<Route>& slot, std::unique_ptr<Route> route,
                             size_t bytes) {
  slot = std::move(route);
  charge(*slot, bytes);
  entry_count_ += 1;
  return *slot;
}

const Route& RouteCache::find_slow(Account& account, std::string_view subject, uint64_t hash,
                                   uint32_t set) {
  if (wide_ != nullptr && wide_->hash == hash && wide_->account == &account &&
      wide_->subject == subject) {
    hits_ += 1;
    last_ = wide_.get();
    return wide_->version == account.routing().version() ? *wide_ : revalidate(account, *wide_);
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
  return put(slots_[set * 2 + way], std::move(route), bytes);
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
