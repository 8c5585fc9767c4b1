// SPDX-License-Identifier: Apache-2.0
//
// Owns a listening TCP socket on a loop: accepts, hands on, and waits out a lack of descriptors or
// memory.
#pragma once

#include <functional>
#include <memory>

#include "io/loop.hpp"
#include "io/socket.hpp"
#include "transport/tcp_stream.hpp"

namespace martlet::net {

class Listener final : private io::FdHandler {
 public:
  /// False: there was no memory for the newcomer.
  using Accept = std::function<bool(std::unique_ptr<transport::ByteStream>)>;

  Listener(io::Loop& loop, io::Fd fd, Accept accept);
  ~Listener();
  /// On the loop.
  Status start();

 private:
  static constexpr int accepts_per_turn = 64;
  static constexpr int64_t pause_ns = 50'000'000;

  void on_fd_ready(bool readable, bool writable) override;
  bool accept_one(io::Accepted accepted);
  void pause();
  void resume();

  io::Loop& loop_;
  io::Fd fd_;
  io::FdWatch watch_;
  io::Timer pause_timer_;
  Accept accept_;
};

}  // namespace martlet::net
