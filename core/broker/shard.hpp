// SPDX-License-Identifier: Apache-2.0
//
// Owns the part of a broker that lives on one loop: its sessions' subscriptions, its route cache,
// the delivery of messages to the receivers here and the batches for those elsewhere. No I/O: net
// feeds it and carries its output away.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.hpp"
#include "base/log.hpp"
#include "base/memory_budget.hpp"
#include "base/random.hpp"
#include "broker/account.hpp"
#include "broker/chunk_pool.hpp"
#include "broker/message.hpp"
#include "broker/output_queue.hpp"
#include "broker/remote_batch.hpp"
#include "broker/route_cache.hpp"
#include "broker/session_options.hpp"
#include "broker/subscription.hpp"
#include "broker/subscription_store.hpp"

namespace martlet::broker {

class Session;

/// What a shard needs of the loop around it.
class ShardHost {
 public:
  /// Delivers what other loops have handed over until now: called before a PONG, which stands
  /// behind all of it.
  virtual void drain_inbox() = 0;

 protected:
  ~ShardHost() = default;
};

enum class SubscribeResult : uint8_t { ok, exists, invalid_subject, out_of_memory };

/// Totals of what sessions that are gone have moved, and of this loop's work.
struct ShardStatistics {
  uint64_t in_msgs = 0;
  uint64_t in_bytes = 0;
  uint64_t out_msgs = 0;
  uint64_t out_bytes = 0;
  uint64_t slow_consumers = 0;
  uint64_t stale_connections = 0;
  uint64_t stalled_producers = 0;
  uint64_t remote_msgs = 0;  // Handed to other loops.

  ShardStatistics& operator+=(const ShardStatistics& other) {
    in_msgs += other.in_msgs;
    in_bytes += other.in_bytes;
    out_msgs += other.out_msgs;
    out_bytes += other.out_bytes;
    slow_consumers += other.slow_consumers;
    stale_connections += other.stale_connections;
    stalled_producers += other.stalled_producers;
    remote_msgs += other.remote_msgs;
    return *this;
  }
};

class Shard {
 public:
  struct Setup {
    uint32_t index = 0;
    uint32_t shard_count = 1;
    uint64_t seed = 1;
    MemoryBudget* budget = nullptr;
    ShardHost* host = nullptr;
    Logger log;
    SessionOptionsSnapshot session_options = std::make_shared<const SessionOptions>();
  };
  explicit Shard(const Setup& setup);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  /// Adds a subscription of a session; `sid` is not in use there.
  SubscribeResult subscribe(Session& session, std::string_view pattern, std::string_view queue,
                            std::string_view sid);
  /// Ends one; safe during a delivery.
  void unsubscribe(Subscription& subscription);
  /// Internal receivers. The handler outlives the subscription. Null: no memory, or a bad pattern.
  Subscription* subscribe(Account& account, InternalHandler& handler, std::string_view pattern,
                          std::string_view queue);
  void unsubscribe(Account& account, Subscription& subscription);
  /// Ends all subscriptions of a session.
  void unsubscribe_all(Session& session);
  /// For a session that ends and acts no more: ends at most `count_max` of its subscriptions. True
  /// when none is left.
  bool unsubscribe_some(Session& session, size_t count_max);

  /// Routes one message. True when at least one receiver got it (or another loop took it over).
  /// Called from within a delivery (by an internal handler) it is done after that delivery, and
  /// answers true. When memory fails not everybody gets it: then its publisher ends, so that no
  /// PONG of its tells otherwise.
  bool publish(Account& account, Message& message);
  /// Whether most of the last publishes found no route that was remembered: then most of their time
  /// is waiting for memory, and it is worth asking for it early.
  bool misses_routes() {
    const uint64_t misses = routes_.misses();
    const uint64_t finds = misses + routes_.hits();
    if (finds == finds_seen_) return mostly_misses_;
    mostly_misses_ = (misses - misses_seen_) * 2 >= finds - finds_seen_;
    misses_seen_ = misses;
    finds_seen_ = finds;
    return mostly_misses_;
  }
  /// For publishes that are about to come; at most subject::SubscriptionTrie::prefetch_max.
  void prefetch_routes(Account& account, const std::string_view* subjects, size_t count) {
    account.routing().prefetch(subjects, count);
    prefetched_ += count;
  }
  uint64_t prefetched_count() const { return prefetched_; }
  /// Delivers what another loop has handed over. What finds no memory concerns its receiver only.
  void deliver(const RemoteBatch& batch);

  /// Sessions whose output grew; the caller flushes them and clears the list.
  std::vector<Session*>& dirty_sessions() { return dirty_; }
  /// One session more: makes the room with which mark_dirty() and mark_ended() never fail.
  void expect_session();
  void mark_dirty(Session& session);
  /// Sessions that want to be ended; the caller ends them and clears the list.
  std::vector<Session*>& ended_sessions() { return ended_; }
  void mark_ended(Session& session);
  void forget(Session& session);
  /// What is to be handed to loop `index` at the end of the turn; null when there is nothing.
  std::unique_ptr<RemoteBatch> take_outbound(uint32_t index) { return std::move(outbound_[index]); }
  bool has_outbound() const { return has_outbound_; }
  void clear_has_outbound() { has_outbound_ = false; }
  /// What one connection does in a row is counted by what it makes others get, from here until
  /// share_is_spent().
  void begin_share(int64_t deliveries_max) {
    share_left_ = deliveries_max;
    stall_ = false;
  }
  bool share_is_spent() const { return share_left_ <= 0; }
  /// The publisher fed a receiver that is far behind: reading from it should pause for a moment,
  /// and the sooner the more of it there is.
  void request_stall() {
    stall_ = true;
    share_left_ -= stalling_delivery_cost;
  }
  bool take_stall() {
    const bool stall = stall_;
    stall_ = false;
    return stall;
  }
  /// A line as it stands, where there may be no memory to make a better one.
  void log_without_memory(std::string_view line);
  /// Frees what was unsubscribed during the turn; routes and kept chunks where memory runs short.
  void end_turn() {
    subscriptions_.free_retired();
    routes_.shrink();
    chunks_.shrink();
  }

  /// A plain subscription of `session` that a reply subject would reach; null if there is none.
  Subscription* find_plain(Session& session, std::string_view subject);

  /// What sessions that are made from now on work by, to their end. Those under way keep theirs.
  void set_session_options(SessionOptionsSnapshot options) {
    MARTLET_ASSERT(options != nullptr);
    setup_.session_options = std::move(options);
  }
  const SessionOptionsSnapshot& session_options() const { return setup_.session_options; }

  uint32_t index() const { return setup_.index; }
  MemoryBudget& budget() { return *setup_.budget; }
  ChunkPool& chunks() { return chunks_; }
  ShardHost& host() { return *setup_.host; }
  Random& random() { return random_; }
  ShardStatistics& statistics() { return statistics_; }
  const RouteCache& routes() const { return routes_; }
  size_t subscription_count() const { return subscriptions_.count(); }

 private:
  static constexpr int64_t stalling_delivery_cost = 16;

  bool route(Account& account, Message& message);
  class Delivering;
  bool deliver(Account& account, Subscription& subscription, const Message& message);
  void deliver(const RemoteBatch& batch, const RemoteBatch::Record& record);
  void deliver_to_handler(Subscription& subscription, const Message& message);
  bool holds_back(Account& account, Subscription& subscription, const Message& message);
  bool deliver_to_group(Account& account, const Route& route, const RouteGroup& group,
                        const Message& message);
  void hand_over(Account& account, const Message& message, uint32_t loop,
                 const RemoteBatch::Receiver& receiver);
  void deliver_group_again(Account& account, uint64_t queue_hash, const Message& message);
  void run_deferred();
  void prepare(Message& message) {
    if (!sizes_.fits(message)) sizes_.make(message);
    message.sizes = &sizes_;
  }

  Setup setup_;
  ChunkPool chunks_;
  SubscriptionStore subscriptions_;
  RouteCache routes_;
  Random random_;
  std::vector<std::unique_ptr<RemoteBatch>> outbound_;  // Null until something is in it.
  std::vector<uint8_t>
      message_open_;  // For each loop: the message being routed has been begun in outbound_.
  std::vector<Session*> dirty_;
  std::vector<Session*> ended_;
  size_t session_count_ = 0;
  std::vector<std::unique_ptr<RemoteBatch>>
      deferred_;  // Published from within a delivery, one message each.
  subject::Match scratch_match_;
  ShardStatistics statistics_;
  SizeText sizes_;
  uint64_t misses_seen_ = 0;  // By misses_routes(), as the next two.
  uint64_t finds_seen_ = 0;
  bool mostly_misses_ = false;
  uint64_t prefetched_ = 0;
  int64_t share_left_ = 0;
  bool has_outbound_ = false;
  bool is_delivering_ = false;
  bool stall_ = false;
};

}  // namespace martlet::broker
