// SPDX-License-Identifier: Apache-2.0
//
// Owns the life of a connection: its parts, and its stream (connect, lose, reconnect, close) on its
// loop. What is said goes through connection_publisher and connection_calls, what is heard through
// connection_input. Its public face is client/connection.hpp.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/random.hpp"
#include "client/connection.hpp"
#include "client/connection_calls.hpp"
#include "client/connection_drain.hpp"
#include "client/connection_input.hpp"
#include "client/connection_publisher.hpp"
#include "client/connection_shared.hpp"
#include "client/connection_subscriptions.hpp"
#include "client/dialer.hpp"
#include "client/driven_loop.hpp"
#include "client/server_pool.hpp"
#include "io/fork_guard.hpp"

namespace martlet::client {

/// Shared by the public face and, weakly, by subscriptions and posted tasks.
class ConnectionCore final : public std::enable_shared_from_this<ConnectionCore>,
                             private LoopMember,
                             private transport::StreamHandler,
                             private DialerOwner,
                             private InputOwner,
                             private DrainOwner {
 public:
  static Result<std::shared_ptr<ConnectionCore>> create(const ConnectionOptions& options,
                                                        std::shared_ptr<link::Connector> connector,
                                                        std::shared_ptr<CompletionQueue> events,
                                                        int64_t cookie, const Clock& clock);
  ~ConnectionCore();

  // --- any thread; as in client/connection.hpp ---
  Status start();
  Status wait_connected(int64_t timeout_ns);
  Status wait_closed(int64_t timeout_ns);
  Status close();
  ConnectionState state() const { return shared_.state.load(std::memory_order_acquire); }
  ConnectionStatistics statistics() const;
  ServerDescription server() const;
  ConnectionPublisher& publisher() { return publisher_; }
  ConnectionCalls& calls() { return calls_; }
  ConnectionSubscriptions& subscriptions() { return subscriptions_; }
  ConnectionInput& input() { return input_; }
  ConnectionDrain& drain() { return drain_; }

  bool is_forked() const { return fork_guard_.is_forked(); }
  Status check_fork() const;
  RunMode run_mode() const { return shared_.options.run; }
  DrivenLoop& driven() { return *shared_.loop; }
  /// In how long a turn is wanted for what was published; below 0: any time.
  int64_t write_wanted_in_ns() const { return shared_.out.look().wanted_in_ns; }
  /// On the loop: a queue may have room.
  void resume_input();
  /// Closes, and takes everything off the loop. After it no call reaches the loop any more.
  void leave();

 private:
  ConnectionCore(const ConnectionOptions& options, std::shared_ptr<link::Connector> connector,
                 std::shared_ptr<CompletionQueue> events, int64_t cookie,
                 std::shared_ptr<DrivenLoop> loop, io::ForkGuard fork_guard);

  /// On the loop: where memory fails in `work`, the stream is lost as if it had broken.
  template <typename Work>
  void contain(Work&& work);
  void on_out_of_memory();

  // On the loop: life of the stream. Whatever tells the program something may run a wake-up, which
  // may close the connection: what comes after it asks whether there is still a stream, or a state
  // but closed.
  void dial_next();
  void dial_later(bool round_over);
  void on_dialed(Dialed dialed) override;
  void take_stream(Dialed dialed);
  void on_dial_failed(Error error) override;
  void take_info(const ServerInfo& info, bool is_first);
  void lose(ErrorCode code, const std::string& why);
  void tell_loss(const Error& reason);
  void end(ErrorCode code, const std::string& why);
  void drop_stream();
  void send_keep_alive();
  void tell_blocked();
  void update_interest();
  void set_interest(bool write);

  // On the loop: what its machinery and the parts have to tell.
  int64_t on_before_wait(bool is_keeper) override;
  int64_t on_turn(bool is_keeper) override;
  int64_t do_turn(bool is_keeper);
  void on_spin(bool spinning) override;
  void on_look() override;
  int direct_descriptor() override;
  void on_direct_readable() override { stream_->on_descriptor_readable(); }
  void on_stream_ready(bool readable, bool writable) override;
  void on_input_lost(ErrorCode code, const std::string& why) override { lose(code, why); }
  void on_input_nonsense(ErrorCode code, const std::string& why) override;
  void on_input_paused() override;
  void on_server_error(const std::string& text) override;
  void on_server_info(const std::string& json) override;
  void on_drain_end(ErrorCode code, const std::string& why) override { end(code, why); }

  io::Loop& loop() { return shared_.loop->loop(); }

  const std::shared_ptr<link::Connector>
      connector_;  // Shared with the program and the server; null for TCP.
  const io::ForkGuard fork_guard_;
  ConnectionShared shared_;
  ConnectionPublisher publisher_;
  ConnectionCalls calls_;
  ConnectionDrain drain_;
  ConnectionInput input_;
  ConnectionSubscriptions subscriptions_;
  ServerDescription server_;  // GUARDED_BY the shared mutex
  std::atomic<int64_t> reconnects_{0};

  // Only the loop.
  Random random_;
  ServerPool pool_;
  Dialer dialer_;
  std::unique_ptr<transport::ByteStream> stream_;
  Error last_error_;  // What the server said last, or the last failure to dial.
  bool was_connected_ = false;
  int64_t pings_out_ = 0;
  int64_t quiet_publishes_ = -1;   // The count while nothing but our own lines went out since the
                                   // connect; below 0: publishes were waiting for it.
  bool line_too_long_ = false;     // The server said so on this stream.
  int64_t last_lost_publish_ = 0;  // Its number: what later ones say is in the reconnect buffer.
  io::Timer wait_timer_;
  io::Timer ping_timer_;
  io::Timer blocked_timer_;  // Runs from the beginning of each pause of the reading.
  io::Timer memory_timer_;   // There was none, not even for telling so: it is tried again.
  bool is_ending_ = false;   // Inside end(), or it found no memory and is tried again.
  bool is_member_ = false;
};

}  // namespace martlet::client
