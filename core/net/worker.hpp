// SPDX-License-Identifier: Apache-2.0
//
// Owns one event loop of a broker with everything on it: its thread, its shard, its connections,
// the memory it reads into, and the exchange with the other workers. A turn: events, what others
// handed over, then hand over and write.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "broker/shard.hpp"
#include "io/loop.hpp"
#include "net/connection.hpp"
#include "net/connection_walk.hpp"
#include "net/inbox.hpp"

namespace martlet::net {

class Worker final : public broker::ShardHost {
 public:
  struct Setup {
    uint32_t index = 0;
    uint32_t worker_count = 1;
    uint64_t seed = 1;
    int64_t spin_ns = 0;  // How long the loop looks without sleeping.
    const Clock* clock = nullptr;
    MemoryBudget* budget = nullptr;
    /// Held by a worker while it hands over: whoever acts on what it got hands over later, to
    /// everybody. So a message never arrives before one that caused it, on whichever loops they
    /// travel.
    std::mutex* exchange_mutex = nullptr;
    Logger log;
    /// What sessions work by, until set_session_options().
    broker::SessionOptionsSnapshot session_options =
        std::make_shared<const broker::SessionOptions>();
    /// Takes work that is too slow for a loop.
    std::function<void(std::function<void()>)> run_slow;
    /// Told when a connection is closed and still has its subscriptions, on this worker's thread.
    /// May be empty.
    std::function<void(Connection&)> on_connection_closing;
    /// Told when a connection that was adopted has ended, on this worker's thread; also when it
    /// could not even be made. Must need no memory.
    std::function<void()> on_connection_end;
    /// Told at the begin of stop(), on this worker's thread. May be empty; must need no memory.
    std::function<void()> on_stop;
  };

  static Result<std::unique_ptr<Worker>> create(Setup setup);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// All workers of the broker, before start(): where batches go.
  void set_peers(std::vector<Worker*> peers) { peers_ = std::move(peers); }
  Status start();
  /// Asks for the end, for who has several to stop. From outside the loop. Needs no memory.
  void begin_stop();
  /// Ends the loop and its thread, when it has been started; connections are closed: what waits for
  /// them is still written, as far as they take it in Connection::last_words_ns. As begin_stop().
  void stop();

  /// Takes a connected stream over. Any thread. False when memory could not be had: then the stream
  /// is closed, and on_connection_end is not told.
  [[nodiscard]] bool adopt(std::unique_ptr<transport::ByteStream> stream,
                           broker::SessionSetup setup);
  /// Gives the loop another snapshot: sessions that are adopted after this work by it, those before
  /// keep the one that they began with. No other loop is concerned. Any thread. False when memory
  /// could not be had: then nothing changes.
  [[nodiscard]] bool set_session_options(broker::SessionOptionsSnapshot options);
  /// Runs `task` on the loop. Any thread.
  void post(std::function<void()> task) { loop_->post(std::move(task)); }

  io::Loop& loop() { return *loop_; }
  broker::Shard& shard() { return *shard_; }
  const Setup& setup() const { return setup_; }
  /// On the loop only.
  size_t connection_count() const { return connection_count_; }
  template <typename Visit>
  void for_each_connection(Visit&& visit) {
    for (Connection* at = first_; at != nullptr;) {
      Connection* next = at->next_;
      visit(*at);
      at = next;
    }
  }
  /// Begins a look at all connections that goes on over several turns. On the loop only, as the two
  /// below.
  void begin_walk(ConnectionWalk& walk);
  /// Goes on for about `credit` connections; false when all have been visited.
  bool continue_walk(ConnectionWalk& walk, size_t credit);
  /// After this the walk may go away.
  void end_walk(ConnectionWalk& walk) { std::erase(walks_, &walk); }
  /// Accepted here and not yet ended; any thread.
  size_t load() const { return load_.load(std::memory_order_relaxed); }
  /// Adds what this loop and its connections that are gone have counted. On the loop only.
  void add_statistics(broker::ShardStatistics& sum) const;

  void drain_inbox() override;

 private:
  friend class Connection;
  static constexpr size_t arena_bytes = 512 * 1024;
  static constexpr size_t read_bytes_min = 64 * 1024;
  static constexpr size_t read_bytes_max = 128 * 1024;
  static constexpr size_t unsubscribes_per_turn = 1000;  // About a millisecond.
  static constexpr int64_t stall_max_ns = 5'000'000;
  static constexpr int64_t aging_interval_ns = 1'000'000'000;

  explicit Worker(Setup setup);
  void on_wake();
  bool end_turn();
  void admit(std::unique_ptr<transport::ByteStream> stream, broker::SessionSetup setup);
  void hand_over();
  void flush_dirty();
  /// Writes or keeps elsewhere everything that points into the arena or was lent, so that the arena
  /// can be used from its start.
  void recycle_arena();
  void end_connections();
  void tell_closing(Connection& connection);
  /// What finish() left to do is done.
  void connection_done(Connection& connection);
  void destroy(Connection* connection);
  void resume_stalled();
  /// Has used up its share of this turn.
  void postpone(Connection& connection);
  void serve_postponed();
  void end_furthest_behind();
  void tell_caches_shrink();
  void wake_peers();
  void refuse();
  void add_connection(std::unique_ptr<Connection> connection);
  void remove_connection(Connection* connection);
  bool is_any_inbox_full() const;
  /// Another loop, or the memory, cannot keep up with what is published here.
  bool must_slow_producers() const {
    return setup_.budget->producers_must_wait() || (shard_->has_outbound() && is_any_inbox_full());
  }

  Setup setup_;
  std::unique_ptr<io::Loop> loop_;
  std::unique_ptr<broker::Shard> shard_;
  std::vector<Worker*> peers_;
  Inbox inbox_{*setup_.budget};
  std::unique_ptr<char[]> arena_;
  size_t arena_used_ = 0;
  // These have room for all connections, so that they never need memory.
  std::vector<Connection*> flushing_;  // Scratch of flush_dirty.
  std::vector<Connection*> stalled_;
  std::vector<Connection*> postponed_;  // They go on in the next turn, in this order.
  std::vector<Connection*> done_;       // Finished; destroyed at the end of the turn.
  std::unique_ptr<io::Timer> stall_timer_;
  std::unique_ptr<io::Timer> aging_timer_;  // Running while the pool keeps large chunks.
  std::vector<ConnectionWalk*> walks_;      // Under way.
  Connection* first_ = nullptr;
  uint64_t next_place_ = 1;  // In the list, newest first.
  size_t connection_count_ = 0;
  size_t congested_count_ = 0;
  int64_t relieved_at_ns_ = -stall_max_ns;  // end_furthest_behind() last looked.
  size_t due_count_ = 0;  // Of postponed_: those that have already waited for a turn.
  std::atomic<size_t> load_{0};
  std::thread thread_;
  std::atomic<bool> stop_asked_{false};
  bool is_stopping_ = false;
  bool caches_shrink_ = false;  // What the budget said when the others were told.
};

}  // namespace martlet::net
