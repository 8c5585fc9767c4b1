// SPDX-License-Identifier: Apache-2.0
//
// Owns the check that each public call makes first (is this a fork?), and the end of a connection.
#include "client/connection.hpp"

#include <algorithm>

#include "client/connection_core.hpp"

namespace martlet::client {

// --- Subscription ---

Subscription::Subscription(std::shared_ptr<SubscriptionState> state) : state_(std::move(state)) {}

Subscription::~Subscription() {
  const std::shared_ptr<ConnectionCore> core = state_->core.lock();
  if (core != nullptr && core->is_forked()) {
    // The queue's and the loop's memory may be in any state: nothing is touched, and little is
    // lost.
    static_cast<void>(new std::shared_ptr<SubscriptionState>(std::move(state_)));
    return;
  }
  if (core != nullptr) static_cast<void>(core->subscriptions().unsubscribe(*state_).is_ok());
}

int32_t Subscription::sid() const { return state_->sid; }

Status Subscription::unsubscribe() {
  const std::shared_ptr<ConnectionCore> core = state_->core.lock();
  if (core == nullptr) return Status(ErrorCode::closed, "the connection is closed");
  Status status = core->check_fork();
  if (!status) return status;
  return core->subscriptions().unsubscribe(*state_);
}

Status Subscription::auto_unsubscribe(int64_t messages_max) {
  const std::shared_ptr<ConnectionCore> core = state_->core.lock();
  if (core == nullptr) return Status(ErrorCode::closed, "the connection is closed");
  Status status = core->check_fork();
  if (!status) return status;
  return core->subscriptions().auto_unsubscribe(*state_, messages_max);
}

Status Subscription::drain() {
  const std::shared_ptr<ConnectionCore> core = state_->core.lock();
  if (core == nullptr) return Status(ErrorCode::closed, "the connection is closed");
  Status status = core->check_fork();
  if (!status) return status;
  return core->subscriptions().drain(*state_);
}

int64_t Subscription::pending_messages() const {
  return state_->queue->pending_messages(state_->account);
}
int64_t Subscription::pending_bytes() const {
  return state_->queue->pending_bytes(state_->account);
}
int64_t Subscription::dropped() const { return state_->queue->dropped_total(state_->account); }
int64_t Subscription::delivered() const {
  return state_->delivered.load(std::memory_order_relaxed);
}

// --- Connection ---

Result<std::unique_ptr<Connection>> Connection::create(const ConnectionOptions& options,
                                                       std::shared_ptr<CompletionQueue> events,
                                                       int64_t cookie, const Clock& clock) {
  return create_in_process(nullptr, options, std::move(events), cookie, clock);
}

Result<std::unique_ptr<Connection>> Connection::create_in_process(
    std::shared_ptr<link::Connector> connector, const ConnectionOptions& options,
    std::shared_ptr<CompletionQueue> events, int64_t cookie, const Clock& clock) {
  Result<std::shared_ptr<ConnectionCore>> core =
      ConnectionCore::create(options, std::move(connector), std::move(events), cookie, clock);
  if (!core) return core.take_error();
  return std::unique_ptr<Connection>(new Connection(std::move(*core)));
}

Connection::Connection(std::shared_ptr<ConnectionCore> core) : core_(std::move(core)) {}

Connection::~Connection() {
  if (core_->is_forked()) {
    // Its loop shares kernel objects with the parent's: closing them here would disturb it. The
    // child lets it lie.
    static_cast<void>(new std::shared_ptr<ConnectionCore>(std::move(core_)));
    return;
  }
  core_->leave();
}

Status Connection::connect(int64_t timeout_ns) {
  Status status = start();
  if (!status) return status;
  return core_->wait_connected(timeout_ns);
}

Status Connection::start() {
  Status status = core_->check_fork();
  if (!status) return status;
  return core_->start();
}

ConnectionState Connection::state() const { return core_->state(); }

Status Connection::publish(const PublishView& message) {
  if (core_->is_forked()) return core_->check_fork();
  return core_->publisher().publish(message, false);
}

Status Connection::wait_capacity(int64_t message_bytes, int64_t timeout_ns) {
  Status status = core_->check_fork();
  if (!status) return status;
  return core_->publisher().wait_capacity(message_bytes, timeout_ns);
}

Status Connection::notify_capacity(int64_t message_bytes,
                                   const std::shared_ptr<CompletionQueue>& queue, int64_t cookie) {
  Status status = core_->check_fork();
  if (!status) return status;
  return core_->publisher().notify_capacity(message_bytes, queue, cookie);
}

Status Connection::flush(int64_t timeout_ns) {
  Status status = core_->check_fork();
  if (!status) return status;
  return core_->calls().ping(timeout_ns, nullptr);
}

Status Connection::flush_start(int64_t timeout_ns, const std::shared_ptr<CompletionQueue>& queue,
                               int64_t cookie) {
  Status status = core_->check_fork();
  if (!status) return status;
  return core_->calls().ping_start(timeout_ns, CallTarget{nullptr, queue, cookie});
}

Result<int64_t> Connection::rtt_ns(int64_t timeout_ns) {
  Status status = core_->check_fork();
  int64_t rtt = 0;
  if (status) status = core_->calls().ping(timeout_ns, &rtt);
  if (!status) return status.take_error();
  return rtt;
}

Result<Batch> Connection::request(const PublishView& message, int64_t timeout_ns) {
  if (core_->is_forked()) return core_->check_fork();
  return core_->calls().request(message, timeout_ns);
}

Status Connection::request_start(const PublishView& message, int64_t timeout_ns,
                                 const std::shared_ptr<CompletionQueue>& queue, int64_t cookie) {
  return request_many_start(message, 1, timeout_ns, queue, cookie);
}

Status Connection::request_many_start(const PublishView& message, int64_t replies_max,
                                      int64_t timeout_ns,
                                      const std::shared_ptr<CompletionQueue>& queue,
                                      int64_t cookie) {
  Status status = core_->check_fork();
  if (!status) return status;
  return core_->calls().request_start(message, replies_max, timeout_ns,
                                      CallTarget{nullptr, queue, cookie});
}

std::string Connection::new_inbox() { return core_->calls().new_inbox(); }

Result<std::unique_ptr<Subscription>> Connection::subscribe(
    std::string_view subject, std::string_view group, const FeedOptions& bounds,
    const std::shared_ptr<CompletionQueue>& queue, int64_t cookie) {
  if (core_->is_forked()) return core_->check_fork();
  Result<std::shared_ptr<SubscriptionState>> state =
      core_->subscriptions().subscribe(subject, group, bounds, queue, cookie);
  if (!state) return state.take_error();
  return std::make_unique<Subscription>(std::move(*state));
}

Status Connection::drain(int64_t timeout_ns) {
  Status status = core_->check_fork();
  if (status) status = core_->drain().start(timeout_ns, false);
  if (!status) return status;
  return core_->wait_closed(-1);
}

Status Connection::drain_start(int64_t timeout_ns) {
  Status status = core_->check_fork();
  if (!status) return status;
  return core_->drain().start(timeout_ns, true);
}

Status Connection::close() {
  Status status = core_->check_fork();
  if (!status) return status;
  return core_->close();
}

ConnectionStatistics Connection::statistics() const { return core_->statistics(); }
ServerDescription Connection::server() const { return core_->server(); }

Result<int> Connection::descriptor() const {
  if (core_->run_mode() != RunMode::lent_loop) {
    return Error{ErrorCode::invalid_argument,
                 "only a connection with \"run\": \"lent\" has a descriptor"};
  }
  return core_->driven().descriptor();
}

Status Connection::process() {
  Status status = core_->check_fork();
  if (!status) return status;
  if (core_->run_mode() != RunMode::lent_loop) {
    return Status(ErrorCode::invalid_argument,
                  "only a connection with \"run\": \"lent\" is processed by the program");
  }
  if (core_->state() == ConnectionState::closed)
    return Status(ErrorCode::closed, "the connection is closed");
  core_->driven().process();
  return Status();
}

int64_t Connection::next_timeout_ns() const {
  const int64_t turn_in_ns = core_->driven().next_timeout_ns();
  const int64_t write_in_ns = core_->write_wanted_in_ns();
  if (turn_in_ns < 0 || write_in_ns < 0) return std::max(turn_in_ns, write_in_ns);
  return std::min(turn_in_ns, write_in_ns);
}

}  // namespace martlet::client
