// SPDX-License-Identifier: Apache-2.0
//
// Owns the turn of a worker.
#include "net/worker.hpp"

#include <algorithm>
#include <new>

#include "io/signal_shield.hpp"

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
  worker->shard_ = std::make_unique<broker::Shard>(shard);
  worker->arena_.reset(new (std::nothrow) char[arena_bytes + protocol::Parser::slack_bytes]);
  if (worker->arena_ == nullptr)
    return Error{ErrorCode::out_of_memory, "no memory for a loop's read buffer"};
  Worker* self = worker.get();
  worker->stall_timer_ = std::make_unique<io::Timer>(
      [](void* owner) { static_cast<Worker*>(owner)->resume_stalled(); }, self);
  worker->loop_->set_on_wake([self] { self->drain_inbox(); });
  worker->loop_->set_on_turn_end([self] { return self->end_turn(); });
  return worker;
}

Worker::~Worker() {
  setup_.on_connection_end = nullptr;  // The broker around this worker is going away itself.
  MARTLET_ASSERT(!thread_.joinable());
  while (first_ != nullptr) destroy(first_);
}

void Worker::start() {
  const io::SignalShield shield;  // Signals are the host's.
  thread_ = std::thread([this] { loop_->run(); });
}

void Worker::stop() {
  if (!thread_.joinable()) return;
  loop_->post([this] {
    is_stopping_ = true;
    for_each_connection([](Connection& connection) {
      connection.session().close(broker::CloseReason::server_shutdown);
    });
    loop_->stop();
  });
  thread_.join();
}

void Worker::adopt(std::unique_ptr<transport::ByteStream> stream, broker::SessionSetup setup) {
  load_.fetch_add(1, std::memory_order_relaxed);
  // std::function wants what it holds to be copyable.
  auto shared_stream = std::make_shared<std::unique_ptr<transport::ByteStream>>(std::move(stream));
  loop_->post([this, shared_stream, setup = std::move(setup)]() mutable {
    if (is_stopping_) {
      load_.fetch_sub(1, std::memory_order_relaxed);
      return;
    }
    auto connection =
        std::make_unique<Connection>(*this, std::move(*shared_stream), std::move(setup));
    Status status = connection->start();
    add_connection(connection.release());
    if (!status) first_->session().close(broker::CloseReason::out_of_memory);
  });
}

void Worker::add_connection(Connection* connection) {
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
    if (walk->on_end) walk->on_end(*connection);
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
  std::vector<std::unique_ptr<broker::RemoteBatch>> batches = inbox_.take();
  for (const std::unique_ptr<broker::RemoteBatch>& batch : batches) {
    const size_t bytes = batch->bytes();
    shard_->deliver(*batch);
    inbox_.delivered(bytes);
  }
}

bool Worker::end_turn() {
  drain_inbox();
  hand_over();
  flush_dirty();
  end_connections();
  for (Connection* connection : flushing_) connection->keep_borrowed();
  flushing_.clear();
  arena_used_ = 0;
  held_.clear();
  shard_->end_turn();
  if (!stalled_.empty()) resume_stalled();
  return !shard_->dirty_sessions().empty() || !shard_->ended_sessions().empty();
}

// Before anything is written: a client that has its PONG may count on it that the other loops have
// its messages.
void Worker::hand_over() {
  if (!shard_->has_outbound()) return;
  shard_->clear_has_outbound();
  std::lock_guard<std::mutex> lock(*setup_.exchange_mutex);
  for (uint32_t i = 0; i < peers_.size(); i++) {
    broker::RemoteBatch& batch = shard_->outbound(i);
    if (batch.is_empty()) continue;
    auto handed = std::make_unique<broker::RemoteBatch>();
    std::swap(*handed, batch);
    if (peers_[i]->inbox_.put(std::move(handed))) peers_[i]->loop_->wake();
  }
}

// Leaves in flushing_ the connections whose output still borrows memory.
void Worker::flush_dirty() {
  std::vector<broker::Session*>& dirty = shard_->dirty_sessions();
  for (size_t i = 0; i < dirty.size(); i++) {
    broker::Session& session = *dirty[i];
    session.clear_dirty();
    Connection& connection = static_cast<Connection&>(session.host());
    connection.flush();
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
  held_.clear();
}

void Worker::end_connections() {
  std::vector<broker::Session*> ending;
  ending.swap(shard_->ended_sessions());
  for (broker::Session* session : ending) {
    Connection* connection = static_cast<Connection*>(&session->host());
    session->clear_dirty();
    if (!connection->is_ending_) {
      connection->is_ending_ = true;
      if (setup_.on_connection_closing) setup_.on_connection_closing(*connection);
      connection->flush();
    }
    // A million subscriptions do not hold the others up: the rest of them has its turn in the next
    // turns.
    if (!shard_->unsubscribe_some(*session, is_stopping_ ? SIZE_MAX : unsubscribes_per_turn)) {
      shard_->ended_sessions().push_back(session);
    } else if (connection->finish()) {
      connection_done(*connection);
    }
  }
  while (!done_.empty()) {
    Connection* connection = done_.back();
    done_.pop_back();
    destroy(connection);
  }
}

void Worker::connection_done(Connection& connection) {
  if (connection.is_done_) return;
  connection.is_done_ = true;
  done_.push_back(&connection);
}

void Worker::destroy(Connection* connection) {
  broker::Session& session = connection->session();
  std::erase(flushing_, connection);
  if (setup_.on_connection_end) setup_.on_connection_end(*connection);
  remove_connection(connection);
  broker::ShardStatistics& total = shard_->statistics();
  total.in_msgs += session.statistics().in_msgs;
  total.in_bytes += session.statistics().in_bytes;
  total.out_msgs += session.statistics().out_msgs;
  total.out_bytes += session.statistics().out_bytes;
  if (session.close_reason() == broker::CloseReason::stale_connection) total.stale_connections += 1;
  delete connection;
  load_.fetch_sub(1, std::memory_order_relaxed);
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
// waited long enough.
void Worker::resume_stalled() {
  const int64_t now_ns = loop_->clock().monotonic_ns();
  const bool relieved =
      congested_count_ == 0 && !is_any_inbox_full() && !setup_.budget->producers_must_wait();
  std::vector<Connection*> waiting;
  waiting.swap(stalled_);
  for (Connection* connection : waiting) {
    if (relieved || now_ns - connection->stalled_since_ns() >= stall_max_ns) {
      connection->resume_reading();
    } else {
      stalled_.push_back(connection);
    }
  }
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
