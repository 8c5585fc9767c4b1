// SPDX-License-Identifier: Apache-2.0
//
// Owns the byte stream over a connected TCP socket.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "io/loop.hpp"
#include "io/socket.hpp"
#include "transport/byte_stream.hpp"

namespace martlet::transport {

class TcpStream final : public ByteStream, private io::FdHandler {
 public:
  TcpStream(io::Fd fd, const io::Address& peer);
  ~TcpStream() override;

  StreamResult read(char* buffer, size_t bytes_max) override;
  StreamResult write(const io::IoSlice* slices, int count) override;
  Status attach(io::Loop& loop, StreamHandler& handler) override;
  void detach() override;
  Status set_interest(bool read, bool write) override;
  const std::string& peer_host() const override { return peer_host_; }
  uint16_t peer_port() const override { return peer_port_; }
  int descriptor() const override { return fd_.get(); }
  bool can_write_beside_read() const override { return true; }
  void on_descriptor_readable() override { on_fd_ready(true, false); }

 private:
  void on_fd_ready(bool readable, bool writable) override;

  io::Fd fd_;
  std::optional<io::FdWatch> watch_;
  StreamHandler* handler_ = nullptr;
  std::string peer_host_;
  uint16_t peer_port_;
};

}  // namespace martlet::transport
