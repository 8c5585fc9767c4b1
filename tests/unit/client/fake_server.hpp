// SPDX-License-Identifier: Apache-2.0
//
// Owns a server for tests that says what the test says and hears what the client says, byte by
// byte, over the in-process pipe and on the test's own thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "client/connection.hpp"
#include "io/socket.hpp"
#include "io/system_clock.hpp"
#include "link/memory_pipe.hpp"

namespace martlet::client {

class FakeServer final : public link::Connector {
 public:
  static constexpr std::string_view greeting =
      "INFO "
      "{\"server_id\":\"F\",\"server_name\":\"fake\",\"version\":\"2.15.2\",\"headers\":true,\"max_"
      "payload\":1000} \r\n";

  Result<std::unique_ptr<transport::ByteStream>> connect() override {
    ++dials;
    if (is_down) return Error{ErrorCode::no_servers, "the fake server is down"};
    Result<link::PipeEnds> ends = link::make_memory_pipe({ring_bytes});
    if (!ends) return ends.take_error();
    end = std::move(ends->second);
    heard.clear();
    say(info);
    return std::move(ends->first);
  }
  void say(std::string_view text) {
    while (!text.empty()) {
      const io::IoSlice slice{text.data(), text.size()};
      const transport::StreamResult result = end->write(&slice, 1);
      if (result.state != transport::StreamState::ok) break;
      text.remove_prefix(result.bytes);
    }
    unsaid = text.size();
  }
  /// Everything that came since the last call.
  std::string hear() {
    std::string text;
    char buffer[4096];
    while (end != nullptr) {
      const transport::StreamResult result = end->read(buffer, sizeof buffer);
      if (result.state == transport::StreamState::closed) client_is_gone = true;
      if (result.state != transport::StreamState::ok) break;
      text.append(buffer, result.bytes);
    }
    heard += text;
    return text;
  }
  void hang_up() {
    end.reset();
    heard.clear();
  }

  std::unique_ptr<transport::ByteStream> end;
  std::string info{greeting};
  std::string heard;  // All of this connection.
  size_t ring_bytes = 64 * 1024;
  size_t unsaid = 0;  // What the full pipe did not take of the last say().
  bool is_down = false;
  bool client_is_gone = false;
  int dials = 0;
};

/// A client of the fake server, turned by the test as a host turns a lent loop.
class FakeServerTest : public testing::Test {
 protected:
  FakeServerTest() {
    options.run = RunMode::lent_loop;
    options.reconnect_wait_ms = 1;
    options.reconnect_jitter_ms = 0;
  }
  void make(const QueueOptions& queue_options = {}) {
    queue = *CompletionQueue::create(clock, queue_options);
    connection = std::move(*Connection::create_in_process(server, options, queue, 9, clock));
  }
  void turn(int turns = 4) {
    for (int i = 0; i < turns; ++i) static_cast<void>(connection->process().is_ok());
  }
  /// Turns until `is_done`, at most a few seconds.
  bool turn_until(const std::function<bool()>& is_done) {
    const int64_t until = clock.monotonic_ns() + 60 * ns_per_s;
    while (!is_done()) {
      if (clock.monotonic_ns() > until) return false;
      turn(1);
      io::wait_descriptor(*connection->descriptor(), true, false, 2 * ns_per_ms);
    }
    return true;
  }
  void connect() {
    make();
    ASSERT_TRUE(connection->start().is_ok());
    finish_handshake();
  }
  void finish_handshake() {
    ASSERT_TRUE(turn_until([&] {
      server->hear();
      return server->heard.find("PING\r\n") != std::string::npos;
    }));
    server->say("PONG\r\n");
    ASSERT_TRUE(turn_until([&] { return connection->state() == ConnectionState::connected; }));
    turn();
  }
  /// What the client says, after some turns.
  std::string said() {
    turn();
    return server->hear();
  }
  /// All completions as text: "kind status sid subject data".
  std::vector<std::string> completions() {
    turn();
    std::vector<std::string> all;
    for (;;) {
      const Result<Batch> batch = queue->poll(0, 0);
      if (!batch) return all;
      for (int32_t i = 0; i < batch->count(); ++i) {
        const CompletionDescriptor& d = batch->descriptor(i);
        all.push_back(std::to_string(d.kind) + " " + std::to_string(d.status) + " " +
                      std::to_string(d.sid) + " " + std::string(batch->subject(i)) + " " +
                      std::string(batch->data(i)));
      }
    }
  }
  std::unique_ptr<Subscription> subscribe(std::string_view subject, std::string_view group = {},
                                          const FeedOptions& bounds = {}) {
    Result<std::unique_ptr<Subscription>> made =
        connection->subscribe(subject, group, bounds, queue, 5);
    EXPECT_TRUE(made.is_ok());
    return std::move(*made);
  }

  const io::SystemClock clock;
  ConnectionOptions options;
  std::shared_ptr<FakeServer> server = std::make_shared<FakeServer>();
  std::shared_ptr<CompletionQueue> queue;
  std::unique_ptr<Connection> connection;
};

}  // namespace martlet::client
