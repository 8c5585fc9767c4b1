// SPDX-License-Identifier: Apache-2.0
//
// Owns the way of what the server says into the queues: the buffer that is read into, the pause
// while a queue has no room, and where each operation goes. What needs decisions about the
// connection (errors, INFO, the end of the stream) its owner hears when no lock is held.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "client/connection_drain.hpp"
#include "client/connection_shared.hpp"
#include "client/feed_writer.hpp"
#include "client/server_parser.hpp"
#include "transport/byte_stream.hpp"

namespace martlet::client {

/// Called on the loop, without locks. Each may end the stream.
class InputOwner {
 public:
  virtual void on_input_lost(ErrorCode code, const std::string& why) = 0;
  virtual void on_input_nonsense(ErrorCode code, const std::string& why) = 0;
  /// Nothing is read until a queue has room.
  virtual void on_input_paused() = 0;
  virtual void on_server_error(const std::string& text) = 0;
  virtual void on_server_info(const std::string& json) = 0;

 protected:
  ~InputOwner() = default;
};

class ConnectionInput final : private ServerOperations, private FeedSource {
 public:
  ConnectionInput(ConnectionShared& shared, ConnectionDrain& drain, InputOwner& owner)
      : shared_(shared), drain_(drain), owner_(owner) {}
  ConnectionInput(const ConnectionInput&) = delete;
  ConnectionInput& operator=(const ConnectionInput&) = delete;

  // --- on the loop ---

  /// A new stream, borrowed until end_stream(); `rest` was read from it already.
  void begin_stream(transport::ByteStream* stream, std::string_view rest);
  /// Delivers the rest that begin_stream() was given.
  void deliver_rest();
  void end_stream();
  /// Reads and delivers, a bounded number of times.
  void read();
  /// Lets go of the queue that was being fed when memory failed.
  void let_go() { writer_.finish(); }
  /// Goes on after a pause, if there is one.
  void resume();
  /// The connection is closed: no queue remembers us any more.
  void leave_queue();
  /// Whether the server answered a PING since the last call.
  bool take_pong_seen();
  /// The subscription that had no room when the reading was paused last.
  int32_t blocked_sid() const { return blocked_sid_; }

  // --- any thread ---

  bool is_paused() const { return is_paused_; }
  /// A queue may have room: the loop will look.
  void ask_to_resume();
  int64_t messages() const { return messages_.load(std::memory_order_relaxed); }
  int64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  // What was seen while parsing, done when no lock is held.
  struct Seen {
    enum class Kind : uint8_t { info, error, drained } kind;
    std::string text;
  };

  bool parse();
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
  void on_queue_room() override { ask_to_resume(); }
  void count(const ServerMessage& message);

  ConnectionShared& shared_;
  ConnectionDrain& drain_;
  InputOwner& owner_;
  std::atomic<int64_t> messages_{0};  // Changed on the loop, read anywhere.
  std::atomic<int64_t> bytes_{0};
  std::atomic<bool> is_paused_{false};
  // Only the loop.
  transport::ByteStream* stream_ = nullptr;
  ServerParser parser_;
  std::vector<char> buffer_;
  size_t start_ = 0;
  size_t end_ = 0;
  size_t needed_ = 0;  // From start_, before parsing again makes sense.
  int64_t received_ns_ = 0;
  FeedWriter writer_;
  std::vector<Seen> seen_;
  bool pong_seen_ = false;
  int32_t blocked_sid_ = 0;
  std::shared_ptr<CompletionQueue> blocked_queue_;  // Shared with its owner: it remembers us.
};

}  // namespace martlet::client
