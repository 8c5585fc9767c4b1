// SPDX-License-Identifier: Apache-2.0
//
// Owns the translation of a socket's answers into a stream's.
#include "transport/tcp_stream.hpp"

namespace martlet::transport {

TcpStream::TcpStream(io::Fd fd, const io::Address& peer)
    : fd_(std::move(fd)), peer_host_(peer.host()), peer_port_(peer.port()) {}

TcpStream::~TcpStream() {
  watch_.reset();
  io::shut_down(fd_);
}

StreamResult TcpStream::read(char* buffer, size_t bytes_max) {
  const io::SocketResult result = io::read_socket(fd_.get(), buffer, bytes_max);
  if (result.bytes > 0) return {StreamState::ok, result.bytes, 0};
  if (result.would_block) return {StreamState::want_read, 0, 0};
  if (result.end) return {StreamState::closed, 0, 0};
  return {StreamState::failed, 0, result.error_number};
}

StreamResult TcpStream::write(const io::IoSlice* slices, int count) {
  const io::SocketResult result = io::write_socket(fd_.get(), slices, count);
  if (result.bytes > 0) return {StreamState::ok, result.bytes, 0};
  if (result.would_block) return {StreamState::want_write, 0, 0};
  return {StreamState::failed, 0, result.error_number};
}

Status TcpStream::attach(io::Loop& loop, StreamHandler& handler) {
  handler_ = &handler;
  watch_.emplace(loop, fd_.get(), static_cast<io::FdHandler&>(*this));
  return Status();
}

void TcpStream::detach() {
  watch_.reset();
  handler_ = nullptr;
}

Status TcpStream::set_interest(bool read, bool write) {
  MARTLET_ASSERT(watch_.has_value());
  return watch_->set_interest(read, write);
}

void TcpStream::on_fd_ready(bool readable, bool writable) {
  handler_->on_stream_ready(readable, writable);
}

}  // namespace martlet::transport
