// SPDX-License-Identifier: Apache-2.0
//
// Owns the turn of a worker.
#include "net/worker.hpp"

#include <algorithm>
#include <new>

#include "base/out_of_memory.hpp"
#include "io/thread.hpp"

namespace martlet::net {

Worker::Worker(Setup setup) : setup_(std::move(setup)) {}

Result<std::unique_ptr<Worker>> Worker::create(Setup setup) {
  Result<std::unique_ptr<io::Loop>> loop = io::Loop::create(*setup.clock);
  if (!loop) return loop.take_error();
  std::unique_ptr<Worker> worker(new Worker(std::move(setup)));
  worker->loop_ = std::move(*loop);
  worker->loop_->set_spin_ns(worker->setup_.spin_ns);
  broker::Shard::Setup shard;
  shard.index = worker->setup_.index;
  shard.shard_count = worker->setup_.worker_count;
  shard.seed = worker->setup_.seed;
  shard.budget = worker->setup_.budget;
  shard.host = worker.get();
  shard.log = worker->setup_.log;
  shard.session_options = std::move(worker->setup_.session_options);
  worker->shard_ = std::make_unique<broker::Shard>(shard);
  worker->arena_.reset(new (std::nothrow) char[arena_bytes + protocol::Parser::slack_bytes]);
  if (worker->arena_ == nullptr)
    return Error{ErrorCode::out_of_memory, "no memory for a loop's read buffer"};
  Worker* self = worker.get();
  worker->stall_timer_ = std::make_unique<io::Timer>(
      [](void* owner) { static_cast<Worker*>(owner)->resume_stalled(); }, self);
  worker->aging_timer_ = std::make_unique<io::Timer>(
      [](void* owner) { static_cast<Worker*>(owner)->shard_->chunks().age(); }, self);
  worker->loop_->set_on_wake([self] { self->on_wake(); });
  worker->loop_->set_on_out_of_memory([self] {
    self->setup_.log.write(LogLevel::error, "Out of memory: work on an event loop is dropped");
  });
  worker->loop_->set_on_turn_end([self] { return self->end_turn(); });
  return worker;
}

Worker::~Worker() {
  setup_.on_connection_end = nullptr;  // The broker around this worker is going away itself.
  MARTLET_ASSERT(!thread_.joinable());
  while (first_ != nullptr) destroy(first_);
}

Status Worker::start() {
  Result<std::thread> thread = io::start_thread("an event loop", [this] { loop_->run(); });
  if (!thread) return thread.take_error();
  thread_ = std::move(*thread);
  return Status();
}

void Worker::begin_stop() {
  stop_asked_.store(true, std::memory_order_release);
  loop_->wake();
}

void Worker::stop() {
  if (!thread_.joinable()) return;
  begin_stop();
  thread_.join();
}

void Worker::on_wake() {
  // Asked first: what was handed over before the stop is then delivered in any case.
  const bool stops = stop_asked_.load(std::memory_order_acquire);
  drain_inbox();
  if (!stops || is_stopping_) return;
  is_stopping_ = true;
  if (setup_.on_stop) setup_.on_stop();
  for_each_connection([](Connection& connection) {
    connection.session().close(broker::CloseReason::server_shutdown);
  });
  // The loop goes on until they have taken what is theirs.
}

bool Worker::adopt(std::unique_ptr<transport::ByteStream> stream, broker::SessionSetup setup) {
  load_.fetch_add(1, std::memory_order_relaxed);
  const bool fits = fits_into_memory([&] {
    // std::function wants what it holds to be copyable.
    auto shared = std::make_shared<std::unique_ptr<transport::ByteStream>>(std::move(stream));
    loop_->post([this, shared, setup = std::move(setup)]() mutable {
      if (!is_stopping_ && fits_into_memory([&] { admit(std::move(*shared), std::move(setup)); }))
        return;
      shared->reset();
      refuse();
    });
  });
  if (!fits) load_.fetch_sub(1, std::memory_order_relaxed);
  return fits;
}

bool Worker::set_session_options(broker::SessionOptionsSnapshot options) {
  return fits_into_memory([&] {
    loop_->post([this, options = std::move(options)]() mutable {
      shard_->set_session_options(std::move(options));
    });
  });
}

// What was adopted is not served.
void Worker::refuse() {
  load_.fetch_sub(1, std::memory_order_relaxed);
  if (setup_.on_connection_end) setup_.on_connection_end();
  if (is_stopping_) return;
  (void)fits_into_memory(
      [this] { setup_.log.write(LogLevel::error, "Out of memory: a new connection is refused"); });
}

void Worker::admit(std::unique_ptr<transport::ByteStream> stream, broker::SessionSetup setup) {
  for (std::vector<Connection*>* list : {&flushing_, &stalled_, &postponed_, &done_})
    reserve_for(*list, connection_count_ + 1);
  auto connection = std::make_unique<Connection>(*this, std::move(stream), std::move(setup));
  Status status = connection->start();
  add_connection(std::move(connection));
  if (!status) first_->session().on_out_of_memory();
}

void Worker::add_connection(std::unique_ptr<Connection> owned) {
  Connection* connection = owned.release();
  connection->place_ = next_place_++;
  connection->next_ = first_;
  if (first_ != nullptr) first_->previous_ = connection;
  first_ = connection;
  connection_count_ += 1;
}

void Worker::remove_connection(Connection* connection) {
  for (ConnectionWalk* walk : walks_) {
    if (walk->next == nullptr || connection->place_ > walk->next->place_)
      continue;  // Has been visited, or is too new.
    if (walk->on_end && !fits_into_memory([&] { walk->on_end(*connection); }))
      walk->is_whole = false;
    if (walk->next == connection) walk->next = connection->next_;
  }
  if (connection->next_ != nullptr) connection->next_->previous_ = connection->previous_;
  if (connection->previous_ != nullptr) {
    connection->previous_->next_ = connection->next_;
  } else {
    first_ = connection->next_;
  }
  connection_count_ -= 1;
}

void Worker::drain_inbox() {
  const bool was_full = inbox_.is_full();
  broker::RemoteBatchList batches = inbox_.take();
  while (const std::unique_ptr<broker::RemoteBatch> batch = batches.take_front()) {
    const size_t bytes = batch->bytes();
    shard_->deliver(*batch);
    inbox_.delivered(bytes);
  }
  if (!was_full || inbox_.is_full()) return;
  wake_peers();  // Their producers may be waiting for this.
}

bool Worker::end_turn() {
  if (!postponed_.empty()) serve_postponed();
  drain_inbox();
  hand_over();
  flush_dirty();
  end_connections();
  for (Connection* connection : flushing_) connection->keep_borrowed();
  flushing_.clear();
  arena_used_ = 0;
  shard_->chunks().end_lending();
  shard_->end_turn();
  if (setup_.budget->caches_must_shrink() != caches_shrink_) tell_caches_shrink();
  if (!stalled_.empty()) resume_stalled();
  if (shard_->chunks().keeps_large() && !aging_timer_->is_running())
    loop_->start_timer(*aging_timer_, aging_interval_ns);
  due_count_ = postponed_.size();
  if (is_stopping_ && first_ == nullptr) loop_->stop();
  return !shard_->dirty_sessions().empty() || !shard_->ended_sessions().empty() || due_count_ != 0;
}

// Loops that have nothing to do give back their caches as well.
void Worker::tell_caches_shrink() {
  caches_shrink_ = !caches_shrink_;
  if (caches_shrink_) wake_peers();
}

void Worker::wake_peers() {
  for (Worker* peer : peers_) {
    if (peer != this) peer->loop_->wake();
  }
}

void Worker::postpone(Connection& connection) {
  if (connection.is_postponed_) return;
  connection.is_postponed_ = true;
  postponed_.push_back(&connection);
}

// Behind the events of the turn, in which the other connections were served. Each that waits has
// one share.
void Worker::serve_postponed() {
  size_t kept = 0;
  for (size_t i = 0; i < postponed_.size(); i++) {
    Connection* connection = postponed_[i];
    if (i < due_count_) connection->take_turn();
    if (connection->wants_turn()) {
      postponed_[kept++] = connection;
    } else {
      connection->is_postponed_ = false;
    }
  }
  postponed_.resize(kept);
}

// Needs no memory, so that what is in a batch arrives. Before anything is written: a client that
// has its PONG may count on it that the other loops have its messages.
void Worker::hand_over() {
  if (!shard_->has_outbound()) return;
  shard_->clear_has_outbound();
  std::lock_guard<std::mutex> lock(*setup_.exchange_mutex);
  for (uint32_t i = 0; i < peers_.size(); i++) {
    std::unique_ptr<broker::RemoteBatch> batch = shard_->take_outbound(i);
    if (batch == nullptr) continue;
    if (peers_[i]->inbox_.put(std::move(batch))) peers_[i]->loop_->wake();
  }
}

// Leaves in flushing_ the connections whose output still borrows memory.
void Worker::flush_dirty() {
  std::vector<broker::Session*>& dirty = shard_->dirty_sessions();
  const bool memory_is_spent = setup_.budget->slow_consumers_must_go();
  for (size_t i = 0; i < dirty.size(); i++) {
    broker::Session& session = *dirty[i];
    session.clear_dirty();
    Connection& connection = static_cast<Connection&>(session.host());
    connection.flush();
    if (memory_is_spent) session.on_memory_spent();
    if (session.output().has_borrowed()) flushing_.push_back(&connection);
  }
  dirty.clear();
}

void Worker::recycle_arena() {
  hand_over();
  flush_dirty();
  for (Connection* connection : flushing_) connection->keep_borrowed();
  flushing_.clear();
  arena_used_ = 0;
  shard_->chunks().end_lending();
}

void Worker::end_connections() {
  std::vector<broker::Session*>& ending = shard_->ended_sessions();
  size_t kept = 0;
  for (size_t i = 0; i < ending.size(); i++) {
    broker::Session* session = ending[i];
    Connection* connection = static_cast<Connection*>(&session->host());
    session->clear_dirty();
    if (!connection->is_ending_) {
      connection->is_ending_ = true;
      tell_closing(*connection);
      connection->flush();
    }
    // A million subscriptions do not hold the others up: the rest of them has its turn in the next
    // turns.
    if (!shard_->unsubscribe_some(*session, is_stopping_ ? SIZE_MAX : unsubscribes_per_turn)) {
      ending[kept++] = session;
    } else if (connection->finish()) {
      connection_done(*connection);
    }
  }
  ending.resize(kept);
  while (!done_.empty()) {
    Connection* connection = done_.back();
    done_.pop_back();
    destroy(connection);
  }
}

// Where nothing more fits: makes room at the cost of whom it was filled for.
void Worker::end_furthest_behind() {
  const int64_t now_ns = loop_->now_ns();
  if (now_ns - relieved_at_ns_ < stall_max_ns) return;
  relieved_at_ns_ = now_ns;
  broker::Session* furthest = nullptr;
  for_each_connection([&](Connection& connection) {
    broker::Session& session = connection.session();
    if (session.is_closing()) return;
    if (furthest == nullptr || session.output().held_bytes() > furthest->output().held_bytes())
      furthest = &session;
  });
  if (furthest != nullptr) furthest->on_memory_spent();
}

void Worker::tell_closing(Connection& connection) {
  if (!setup_.on_connection_closing) return;
  if (fits_into_memory([&] { setup_.on_connection_closing(connection); })) return;
  (void)fits_into_memory([this] {
    setup_.log.write(LogLevel::error, "Out of memory: a closed connection is not remembered");
  });
}

void Worker::connection_done(Connection& connection) {
  if (connection.is_done_) return;
  connection.is_done_ = true;
  done_.push_back(&connection);
}

void Worker::destroy(Connection* connection) {
  broker::Session& session = connection->session();
  std::erase(flushing_, connection);
  remove_connection(connection);
  broker::ShardStatistics& total = shard_->statistics();
  total.in_msgs += session.statistics().in_msgs;
  total.in_bytes += session.statistics().in_bytes;
  total.out_msgs += session.statistics().out_msgs;
  total.out_bytes += session.statistics().out_bytes;
  if (session.close_reason() == broker::CloseReason::stale_connection) total.stale_connections += 1;
  delete connection;
  load_.fetch_sub(1, std::memory_order_relaxed);
  if (setup_.on_connection_end) setup_.on_connection_end();
}

void Worker::begin_walk(ConnectionWalk& walk) {
  walk.next = first_;
  walks_.push_back(&walk);
}

bool Worker::continue_walk(ConnectionWalk& walk, size_t credit) {
  while (walk.next != nullptr && credit > 0) {
    credit -= 1;
    if (!walk.visit(*walk.next, credit)) return true;
    walk.next = walk.next->next_;
  }
  return walk.next != nullptr;
}

bool Worker::is_any_inbox_full() const {
  return std::any_of(peers_.begin(), peers_.end(),
                     [](const Worker* peer) { return peer->inbox_.is_full(); });
}

// Producers that were paused go on when nobody here is far behind any more, or when they have
// waited long enough: a receiver that reads nothing must not hold them up, nor memory that others
// hold. Another loop is waited for as long as it takes; it always gets on.
void Worker::resume_stalled() {
  const int64_t now_ns = loop_->clock().monotonic_ns();
  const bool others_behind = is_any_inbox_full();
  const bool relieved = congested_count_ == 0 && !setup_.budget->producers_must_wait();
  std::erase_if(stalled_, [&](Connection* connection) {
    if (others_behind) return false;
    const bool goes_on = relieved && !connection->waits_for_room();
    if (!goes_on && now_ns - connection->stalled_since_ns() < stall_max_ns) return false;
    connection->resume_reading();
    return true;
  });
  if (!stalled_.empty() && !stall_timer_->is_running())
    loop_->start_timer(*stall_timer_, stall_max_ns);
}

void Worker::add_statistics(broker::ShardStatistics& sum) const {
  const broker::ShardStatistics& total = const_cast<Worker*>(this)->shard_->statistics();
  sum.in_msgs += total.in_msgs;
  sum.in_bytes += total.in_bytes;
  sum.out_msgs += total.out_msgs;
  sum.out_bytes += total.out_bytes;
  sum.slow_consumers += total.slow_consumers;
  sum.stale_connections += total.stale_connections;
  sum.stalled_producers += total.stalled_producers;
  sum.remote_msgs += total.remote_msgs;
}

}  // namespace martlet::net
