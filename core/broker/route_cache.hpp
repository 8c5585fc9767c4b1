// SPDX-License-Identifier: Apache-2.0
//
// Owns what one loop remembers of where subjects lead. An entry is used as long as nothing that it
// depends on has changed. Bounded in entries and bytes, but for one wide route, which is as large
// as the subscriptions make it; a subject enters when it is seen for the second time. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/memory_budget.hpp"
#include "broker/account.hpp"
#include "broker/subject_hash.hpp"
#include "broker/subscription.hpp"

namespace martlet::broker {

struct RemoteReceiver {
  uint32_t loop;
  SubscriptionHandle handle;
};

/// A member of a queue group: here, or on another loop.
struct GroupMember {
  Subscription* local;  // Null: remote.
  RemoteReceiver remote;
};

struct RouteGroup {
  uint64_t name_hash;  // Never 0.
  uint32_t begin;      // In Route::members.
  uint32_t end;
};

/// How loops name a queue group to each other: by its name, since the trie's own numbers are used
/// anew. Never 0.
inline uint64_t queue_name_hash(std::string_view queue) {
  return hash_text(queue, 0x51ed270b0929ULL) | 1;
}

/// Everybody whom a message to one subject reaches, seen from one loop.
struct Route {
  std::vector<Subscription*> local;
  std::vector<RemoteReceiver> remote;  // Sorted by loop.
  std::vector<GroupMember> members;
  std::vector<RouteGroup> groups;

  // What makes it an entry of the cache.
  const Account* account = nullptr;
  uint64_t hash = 0;
  uint64_t version = 0;
  uint64_t change_sum = 0;
  RouteDependencies dependencies;
  std::string subject;
  int64_t cost = 0;          // Of a message, in deliveries.
  size_t charged_bytes = 0;  // By the cache; what it really takes may have grown since.

  bool is_empty() const { return local.empty() && remote.empty() && groups.empty(); }
  size_t bytes() const;
  void clear();
};

class RouteCache {
 public:
  static constexpr uint32_t entries_max = 8192;
  static constexpr size_t bytes_max = 16 * 1024 * 1024;
  static constexpr size_t route_bytes_max =
      1024 * 1024;  // Of those that are wider, one is kept: the last that was asked for twice.

  RouteCache(uint32_t loop, uint64_t seed, MemoryBudget& budget);
  ~RouteCache();
  RouteCache(const RouteCache&) = delete;
  RouteCache& operator=(const RouteCache&) = delete;

  /// The route of a published subject, valid until the next call or the next change of a
  /// subscription of this loop.
  const Route& find(Account& account, std::string_view subject) {
    // Most messages go where the last one went.
    if (last_ != nullptr && last_->account == &account && last_->subject == subject) {
      hits_ += 1;
      return last_->version == account.routing().version() ? *last_ : revalidate(account, *last_);
    }
    const uint64_t hash = hash_of(account, subject);
    const uint32_t set = static_cast<uint32_t>(hash) & (entries_max / 2 - 1);
    for (uint32_t way = 0; way < 2; way++) {
      Route* route = slots_[set * 2 + way].get();
      if (route != nullptr && route->hash == hash && route->account == &account &&
          route->subject == subject) {
        hits_ += 1;
        last_ = route;
        return route->version == account.routing().version() ? *route : revalidate(account, *route);
      }
    }
    return find_slow(account, subject, hash, set);
  }

  void clear();
  /// Where memory runs short nothing is kept.
  void shrink() {
    if (budget_.caches_must_shrink() && (entry_count_ > 0 || wide_ != nullptr)) clear();
  }
  /// All entries, used or stale.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (const std::unique_ptr<Route>& route : slots_) {
      if (route != nullptr) visit(*route);
    }
    if (wide_ != nullptr) visit(*wide_);
  }
  uint32_t entry_count() const { return entry_count_; }
  uint64_t hits() const { return hits_; }
  uint64_t misses() const { return misses_; }

 private:
  uint64_t hash_of(const Account& account, std::string_view subject) const;
  const Route& revalidate(Account& account, Route& route);
  const Route& keep_within_bounds(Route& route);
  const Route& find_slow(Account& account, std::string_view subject, uint64_t hash, uint32_t set);
  void build(Account& account, std::string_view subject, Route& route);
  void charge(Route& route, size_t bytes);
  void drop(uint32_t index);
  std::unique_ptr<Route> take(std::unique_ptr<Route>& slot);
  const Route& put(std::unique_ptr<Route>& slot, std::unique_ptr<Route> route, size_t bytes);
  void keep_wide(std::unique_ptr<Route> route);

  static constexpr int64_t miss_cost = 50;  // To look a subject up, in deliveries.

  const uint32_t loop_;
  const uint64_t seed_;
  MemoryBudget& budget_;
  std::vector<std::unique_ptr<Route>> slots_;  // Sets of two ways.
  std::vector<uint16_t> seen_;   // A fingerprint per set of the subject that missed last.
  std::unique_ptr<Route> wide_;  // Not counted in bytes_ and entry_count_.
  Route* last_ = nullptr;        // In slots_, or wide_; what find() answered last.
  subject::Match scratch_match_;
  Route scratch_;
  size_t bytes_ = 0;
  uint32_t entry_count_ = 0;
  uint64_t hits_ = 0;
  uint64_t misses_ = 0;
};

}  // namespace martlet::broker
