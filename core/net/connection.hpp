// SPDX-License-Identifier: Apache-2.0
//
// Owns one connection: the byte stream, the bytes that are not yet a whole operation, the session,
// and the timers of its life. Lives on one worker; the worker ends it between turns.
#pragma once

#include <memory>
#include <string>

#include "broker/session.hpp"
#include "io/loop.hpp"
#include "net/read_buffer.hpp"
#include "transport/byte_stream.hpp"

namespace martlet::net {

class Worker;

class Connection final : public transport::StreamHandler, public broker::SessionHost {
 public:
  /// What one that is idle takes, with its stream and its session: docs/limits.md. Whoever lets
  /// connections in counts it; subscriptions and output are counted beside it.
  static constexpr int64_t charge_bytes = 1536;

  Connection(Worker& worker, std::unique_ptr<transport::ByteStream> stream,
             broker::SessionSetup setup);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Says INFO and starts reading.
  Status start();
  // What follows is called by the worker, between other connections' work. Where memory fails in
  // it, this connection ends and nobody else's.

  /// Writes what the stream takes of the session's output.
  void flush();
  /// Copies, or holds by a reference, output that is borrowed from memory which is about to be used
  /// anew.
  void keep_borrowed();
  /// The session has ended: true when nothing is left to do but to destroy this; otherwise its last
  /// output (an -ERR, or what a server that stops still owes it) waits for the stream, and the
  /// worker is told through connection_done() when it is out or out of time.
  bool finish();
  /// Reading goes on after a stall.
  void resume_reading();
  /// Acts on what it had to leave in an earlier turn, for as much as is one connection's in a turn.
  void take_turn();
  /// There is still something for a next turn.
  bool wants_turn() const {
    return has_rest_ && !is_stalled_ && !session_.is_waiting() && !session_.is_closing();
  }
  bool is_stalled() const { return is_stalled_; }
  /// A large payload does not go on for want of memory: it tries again now and then.
  bool waits_for_room() const { return waits_for_room_; }
  int64_t stalled_since_ns() const { return stalled_since_ns_; }

  broker::Session& session() { return session_; }
  const broker::Session& session() const { return session_; }
  const transport::ByteStream& stream() const { return *stream_; }
  int64_t start_wall_ns() const { return start_wall_ns_; }
  bool is_congested() const { return is_congested_; }

 private:
  friend class Worker;
  static constexpr size_t prefix_bytes_max =
      16 * 1024;  // A longer incomplete operation gets memory of its own.
  static constexpr ptrdiff_t look_interval_bytes = 1024;  // While routes are remembered.
  static constexpr size_t pending_growth_min = 64 * 1024;
  static constexpr int64_t room_wait_max_ns = 1'000'000'000;
  static constexpr size_t congested_bytes = 4 * 1024 * 1024;
  static constexpr size_t relieved_bytes = 1024 * 1024;
  static constexpr int64_t last_words_ns = 2'000'000'000;
  // What one connection may have delivered in a turn before the others are served: a few
  // milliseconds. Small enough for them, large enough that receivers are written to in large
  // pieces.
  static constexpr int64_t deliveries_per_turn = 50'000;

  /// Does what is done for this connection; where memory fails in it, the session ends.
  template <typename Work>
  void contain(Work&& work);
  void on_stream_ready(bool readable, bool writable) override;
  void do_what_is_ready(bool readable, bool writable);
  void flush_some();
  void go_on_after_slow_authentication(std::shared_ptr<const auth::Principal> principal);
  void on_slow_authentication() override;
  void on_much_pending() override { flush(); }
  void read_some();
  bool may_hold_more(size_t bytes);
  /// Room for the next read: behind what is pending, or in the worker's arena. Null: the budget has
  /// no room now.
  char* read_space(size_t& bytes_max);
  void parse(const char* begin, const char* end);
  const char* look_ahead(const char* begin, const char* end);
  void keep_tail(const char* begin, const char* end, size_t needed);
  void keep_rest(const char* begin, const char* end);
  /// Parses what keep_rest() has kept.
  void go_on_with_rest();
  void update_interest();
  void stall();
  void on_stream_end(broker::CloseReason reason);
  void start_ping_timer();
  void on_ping_timer();
  void on_write_deadline();

  Worker& worker_;
  std::unique_ptr<transport::ByteStream> stream_;
  broker::Session session_;
  io::Timer ping_timer_;        // Until CONNECT: the time for authentication.
  io::Timer write_timer_;       // Running while output waits for the stream.
  ReadBuffer pending_;          // What has been read and not acted on: an incomplete operation, or
                                // has_rest_.
  size_t needed_ = 0;           // At least so many bytes are needed before it can be complete.
  Connection* next_ = nullptr;  // In the worker's list.
  Connection* previous_ = nullptr;
  uint64_t place_ = 0;  // Falls along the list.
  int64_t start_wall_ns_ = 0;
  int64_t stalled_since_ns_ = 0;
  int64_t waits_since_ns_ = 0;  // If waits_for_room_.
  bool waits_for_room_ = false;
  bool has_rest_ = false;      // Whole operations stand in pending_: nothing more is read for now.
  bool is_postponed_ = false;  // In Worker::postponed_.
  bool is_stalled_ = false;
  bool is_congested_ = false;
  bool wants_write_ = false;
  bool read_wants_write_ =
      false;  // The stream must write before it can read, or the other way round (TLS).
  bool write_wants_read_ = false;
  bool saw_connect_ = false;
  bool is_ending_ = false;     // The session has ended; its subscriptions go, slice by slice.
  bool is_finishing_ = false;  // Only output goes on.
  bool is_done_ = false;       // In Worker::done_.
};

}  // namespace martlet::net
