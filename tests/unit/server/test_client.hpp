// SPDX-License-Identifier: Apache-2.0
//
// Owns a tiny blocking client for tests of a server: raw bytes over TCP or over the way in for
// clients of the process, and pages over HTTP. Waits with patience and fails the test when nothing
// comes.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.hpp"
#include "io/socket.hpp"
#include "io/system_clock.hpp"
#include "link/connector.hpp"
#include "server/server.hpp"
#include "transport/tcp_stream.hpp"

namespace martlet::server {

constexpr int64_t patience_ns = 20'000'000'000;

inline io::Fd connect_to(uint16_t port) {
  Result<std::vector<io::Address>> addresses = io::resolve("127.0.0.1", port);
  MARTLET_ASSERT(addresses.is_ok());
  Result<io::Fd> fd = io::connect_tcp(addresses->front());
  MARTLET_ASSERT(fd.is_ok());
  (void)io::wait_descriptor(fd->get(), false, true, patience_ns);
  return std::move(*fd);
}

class TestClient final : private transport::StreamHandler {
 public:
  explicit TestClient(std::unique_ptr<transport::ByteStream> stream) : stream_(std::move(stream)) {
    Result<std::unique_ptr<io::Loop>> loop = io::Loop::create(clock_);
    MARTLET_ASSERT(loop.is_ok());
    loop_ = std::move(*loop);
    MARTLET_ASSERT(stream_->attach(*loop_, *this).is_ok());
    MARTLET_ASSERT(stream_->set_interest(true, false).is_ok());
  }
  ~TestClient() { stream_->detach(); }
  TestClient(const TestClient&) = delete;

  static std::unique_ptr<TestClient> tcp(uint16_t port) {
    return std::make_unique<TestClient>(
        std::make_unique<transport::TcpStream>(connect_to(port), io::Address{}));
  }
  static std::unique_ptr<TestClient> in_process(link::Connector& connector) {
    Result<std::unique_ptr<transport::ByteStream>> stream = connector.connect();
    MARTLET_ASSERT(stream.is_ok());
    return std::make_unique<TestClient>(std::move(*stream));
  }

  void send(std::string_view text) {
    while (!text.empty()) {
      const io::IoSlice slice{text.data(), text.size()};
      const transport::StreamResult result = stream_->write(&slice, 1);
      if (result.state == transport::StreamState::closed ||
          result.state == transport::StreamState::failed)
        return;
      text.remove_prefix(result.bytes);
      if (result.bytes == 0) loop_->run_once(1'000'000);
    }
  }
  /// CONNECT, PING, and the PONG.
  void connect(std::string_view more = "") {
    send("CONNECT {\"verbose\":false,\"pedantic\":false" + std::string(more) + "}\r\nPING\r\n");
    read_until("PONG\r\n");
  }
  /// All that was sent before has been acted on.
  void sync() {
    send("PING\r\n");
    read_until("PONG\r\n");
  }
  /// Takes everything up to and with `end`; fails the test when it does not come.
  std::string read_until(std::string_view end) {
    const int64_t deadline_ns = clock_.monotonic_ns() + patience_ns;
    size_t at = 0;
    while ((at = received_.find(end)) == std::string::npos) {
      if (is_closed_ || clock_.monotonic_ns() > deadline_ns) {
        ADD_FAILURE() << "\"" << end << "\" does not come, but: " << received_;
        return std::string();
      }
      loop_->run_once(50'000'000);
    }
    std::string text = received_.substr(0, at + end.size());
    received_.erase(0, text.size());
    return text;
  }
  /// Everything until the server closes.
  std::string read_until_closed() {
    const int64_t deadline_ns = clock_.monotonic_ns() + patience_ns;
    while (!is_closed_) {
      if (clock_.monotonic_ns() > deadline_ns) {
        ADD_FAILURE() << "the server does not close";
        break;
      }
      loop_->run_once(50'000'000);
    }
    return received_;
  }
  /// What has come and was not taken; sync() first.
  const std::string& left() const { return received_; }

 private:
  void on_stream_ready(bool readable, bool) override {
    if (!readable) return;
    char buffer[65536];
    const transport::StreamResult result = stream_->read(buffer, sizeof buffer);
    received_.append(buffer, result.bytes);
    if (result.state != transport::StreamState::closed &&
        result.state != transport::StreamState::failed)
      return;
    is_closed_ = true;
    (void)stream_->set_interest(false, false);
  }

  io::SystemClock clock_;
  std::unique_ptr<io::Loop> loop_;
  std::unique_ptr<transport::ByteStream> stream_;
  std::string received_;
  bool is_closed_ = false;
};

/// A whole HTTP answer.
inline std::string http_get(uint16_t port, const std::string& target) {
  TestClient client(std::make_unique<transport::TcpStream>(connect_to(port), io::Address{}));
  client.send("GET " + target + " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
  return client.read_until_closed();
}

/// Keeps log lines.
class LineSink final : public LogSink {
 public:
  void write(LogLevel level, std::string_view line) override {
    static constexpr const char* names[] = {"FTL", "ERR", "WRN", "INF", "DBG", "TRC"};
    std::lock_guard<std::mutex> lock(mutex_);
    lines_ +=
        std::string("[") + names[static_cast<size_t>(level)] + "] " + std::string(line) + "\n";
  }
  std::string lines() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::string lines_;  // GUARDED_BY mutex_
};

/// Options of a server on a free port of this machine alone.
inline Options local_options() {
  Options options;
  options.host = "127.0.0.1";
  options.port = -1;
  return options;
}

inline std::unique_ptr<Server> start_server(Options options, LogSink* sink = nullptr) {
  Result<std::unique_ptr<Server>> server = Server::create(std::move(options), sink);
  MARTLET_ASSERT(server.is_ok());
  Status status = (*server)->start();
  EXPECT_TRUE(status.is_ok()) << (status ? "" : status.error().context);
  return std::move(*server);
}

}  // namespace martlet::server
