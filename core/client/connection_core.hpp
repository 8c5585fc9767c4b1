// SPDX-License-Identifier: Apache-2.0
//
// Owns what a connection does: the life of its stream (connect, lose, reconnect, drain, close) on
// its loop, the messages that arrive, and the calls that any thread makes. Its public face is
// client/connection.hpp.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "client/call_table.hpp"
#include "client/connection.hpp"
#include "client/dialer.hpp"
#include "client/driven_loop.hpp"
#include "client/feed_writer.hpp"
#include "client/nuid.hpp"
#include "client/outgoing_buffer.hpp"
#include "client/server_parser.hpp"
#include "client/server_pool.hpp"
#include "client/subscription_table.hpp"
#include "io/fork_guard.hpp"

namespace martlet::client {

/// Shared by the public face and, weakly, by subscriptions and posted tasks. Locks, in this order:
/// mutex_, then a queue's or the outgoing buffer's. No lock is held while a wake-up of the program
/// runs.
class ConnectionCore final : public std::enable_shared_from_this<ConnectionCore>,
                             private LoopMember,
                             private transport::StreamHandler,
                             private ServerOperations,
                             private DialerOwner,
                             private FeedSource {
 public:
  static Result<std::shared_ptr<ConnectionCore>> create(const ConnectionOptions& options,
                                                        std::shared_ptr<link::Connector> connector,
                                                        std::shared_ptr<CompletionQueue> events,
                                                        int64_t cookie, const Clock& clock);
  ~ConnectionCore();

  // --- any thread; as in client/connection.hpp ---
  Status start();
  Status wait_connected(int64_t timeout_ns);
  ConnectionState state() const { return state_.load(std::memory_order_acquire); }
  Status publish(const PublishView& message, bool at_once);
  Status wait_capacity(int64_t message_bytes, int64_t timeout_ns);
  Status notify_capacity(int64_t message_bytes, const std::shared_ptr<CompletionQueue>& queue,
                         int64_t cookie);
  Status ping(int64_t timeout_ns, int64_t* out_rtt_ns);
  Status ping_start(int64_t timeout_ns, CallTarget target);
  Result<Batch> request(const PublishView& message, int64_t timeout_ns);
  Status request_start(const PublishView& message, int64_t replies_max, int64_t timeout_ns,
                       CallTarget target, uint64_t* out_number = nullptr);
  std::string new_inbox();
  Result<std::shared_ptr<SubscriptionState>> subscribe(
      std::string_view subject, std::string_view group, const FeedOptions& bounds,
      const std::shared_ptr<CompletionQueue>& queue, int64_t cookie);
  Status unsubscribe(SubscriptionState& subscription);
  Status auto_unsubscribe(SubscriptionState& subscription, int64_t messages_max);
  Status drain_subscription(SubscriptionState& subscription);
  Status drain_start(int64_t timeout_ns, bool waits_for_queues);
  Status wait_closed(int64_t timeout_ns);
  Status close();
  ConnectionStatistics statistics() const;
  ServerDescription server() const;
  bool is_forked() const { return fork_guard_.is_forked(); }
  Status check_fork() const;
  RunMode run_mode() const { return options_.run; }
  DrivenLoop& driven() { return *loop_; }
  /// Closes, and takes everything off the loop. After it no call reaches the loop any more.
  void leave();

 private:
  ConnectionCore(const ConnectionOptions& options, std::shared_ptr<link::Connector> connector,
                 std::shared_ptr<CompletionQueue> events, int64_t cookie,
                 std::shared_ptr<DrivenLoop> loop, io::ForkGuard fork_guard);

  // What was seen while parsing, done when no lock is held.
  struct Seen {
    enum class Kind : uint8_t { info, error, drained } kind;
    std::string text;
  };
  struct CapacityWaiter {
    int64_t message_bytes;
    std::shared_ptr<CompletionQueue> queue;  // Shared with its owner until it is told.
    int64_t cookie;
  };

  // On the loop: life of the stream.
  void dial_next();
  void on_dialed(Dialed dialed) override;
  void on_dial_failed(Error error) override;
  void take_info(const ServerInfo& info, bool is_first);
  void lose(ErrorCode code, const std::string& why);
  void end(ErrorCode code, const std::string& why);
  void drop_stream();
  void send_keep_alive();
  void begin_drain(int64_t timeout_ns, bool waits_for_queues);
  void go_on_draining();
  void update_interest();
  void set_interest(bool write);

  // On the loop: what arrives.
  void on_before_wait(bool is_keeper) override;
  int64_t on_turn(bool is_keeper) override;
  void on_spin(bool spinning) override;
  void on_look() override;
  int direct_descriptor() override;
  void on_direct_readable() override { stream_->on_descriptor_readable(); }
  void on_stream_ready(bool readable, bool writable) override;
  void read_input();
  bool parse_input();
  void do_seen();
  bool on_message(const ServerMessage& message) override;
  void on_reply(const ServerMessage& message);
  void on_info(std::string_view json) override {
    seen_.push_back({Seen::Kind::info, std::string(json)});
  }
  void on_ping() override;
  void on_pong() override;
  void on_error(std::string_view text) override {
    seen_.push_back({Seen::Kind::error, std::string(text)});
  }
  bool is_over() const override { return false; }
  void on_queue_room() override;
  void resume();

  // Any thread.
  OutgoingBuffer::IdleRule idle_rule() const;
  void act_on(FlushNeed need);
  void act_on_control(FlushNeed need);
  void emit(CompletionKind kind, ErrorCode code, std::string_view data);
  void end_subscription_locked(SubscriptionState& subscription, ErrorCode code, FeedWriter& writer);
  Status check_message(const PublishView& message) const;
  Status open_inbox_locked();
  void arm_deadline(int64_t deadline_ns);
  void expire_calls();
  void tell_capacity();
  Status bind_queue(const std::shared_ptr<CompletionQueue>& queue);
  bool wait(const std::function<bool()>& is_ready, int64_t timeout_ns);
  Status state_error() const;

  const ConnectionOptions options_;
  const std::shared_ptr<link::Connector>
      connector_;  // Shared with the program and the server; null for TCP.
  const std::shared_ptr<CompletionQueue> events_;  // Shared with its owner; may be null.
  const int64_t cookie_;
  const std::shared_ptr<DrivenLoop> loop_;  // Shared with the queues that it drives.
  const io::ForkGuard fork_guard_;
  OutgoingBuffer out_;
  std::atomic<ConnectionState> state_{ConnectionState::fresh};
  std::atomic<int64_t> max_payload_{-1};
  std::atomic<bool> server_headers_{true};
  std::atomic<int64_t> in_messages_{0};
  std::atomic<int64_t> in_bytes_{0};
  std::atomic<int64_t> reconnects_{0};
  std::atomic<int64_t> armed_deadline_ns_{-1};

  mutable std::mutex mutex_;
  SubscriptionTable subscriptions_;               // GUARDED_BY mutex_
  CallTable calls_;                               // GUARDED_BY mutex_
  int32_t inbox_sid_ = 0;                         // GUARDED_BY mutex_
  Nuid nuid_;                                     // GUARDED_BY mutex_
  ServerDescription server_;                      // GUARDED_BY mutex_
  std::vector<CapacityWaiter> capacity_waiters_;  // GUARDED_BY mutex_
  std::atomic<bool> has_capacity_waiters_{false};
  Error end_reason_;  // GUARDED_BY mutex_; why it is closed.

  // Only the loop.
  Random random_;
  ServerPool pool_;
  Dialer dialer_;
  std::unique_ptr<transport::ByteStream> stream_;
  ServerParser parser_;
  std::vector<char> input_;
  size_t input_start_ = 0;
  size_t input_end_ = 0;
  size_t input_needed_ = 0;
  int64_t received_ns_ = 0;
  FeedWriter writer_;
  std::vector<Seen> seen_;
  Error last_error_;  // What the server said last, or the last failure to dial.
  std::atomic<bool> is_paused_{
      false};  // A queue is full: nothing is read. Changed on the loop, read anywhere.
  std::shared_ptr<CompletionQueue> blocked_queue_;  // Shared with its owner: it remembers us.
  bool was_connected_ = false;
  int64_t pings_out_ = 0;
  int64_t drain_until_ns_ = 0;
  bool drain_waits_for_queues_ = false;
  bool drain_flushing_ = false;
  std::vector<std::shared_ptr<SubscriptionState>>
      drained_;  // Shared: their handles may go while we look at them.
  io::Timer wait_timer_;
  io::Timer ping_timer_;
  io::Timer deadline_timer_;
  io::Timer drain_timer_;
  bool is_member_ = false;
};

}  // namespace martlet::client
