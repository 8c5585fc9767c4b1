// SPDX-License-Identifier: Apache-2.0
//
// Owns TCP sockets as descriptors: listening, accepting, connecting without blocking, reading and
// writing. Nothing here waits. Descriptors are closed on exec.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "io/io_slice.hpp"

namespace martlet::io {

/// A descriptor that is closed with its owner.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~Fd() { reset(); }
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

/// Ends the conversation of a socket, or its listening, for every copy of the descriptor: closing
/// ends only the one at hand, and a child that was forked meanwhile has one too.
void shut_down(const Fd& socket);

/// A socket address of the network, without names: what bind, accept and connect need.
struct Address {
  alignas(8) char storage[128] = {};
  uint32_t length = 0;
  std::string host() const;  // "127.0.0.1", "::1"
  uint16_t port() const;
};

/// What a non-blocking read or write did: `bytes` > 0, or 0 with would_block / end / error_number.
struct SocketResult {
  size_t bytes = 0;
  bool would_block = false;
  bool end = false;
  int error_number = 0;
};

/// Looks a host up (may block: call it off the loops, except for numeric addresses, which never
/// leave the process).
Result<std::vector<Address>> resolve(std::string_view host, uint16_t port);
/// True for text that resolve() answers without asking anybody.
bool is_numeric_host(std::string_view host);

/// Listens; port 0 is any free port. `host` may be empty or "0.0.0.0" (all IPv4 and, if the system
/// has it, IPv6) or a name. Fails with address_in_use or io, naming the address.
Result<Fd> listen_tcp(std::string_view host, uint16_t port, int backlog);
Result<uint16_t> local_port(int fd);
Result<Address> local_address(int fd);

/// Takes one waiting connection. would_block: none. Sets non-blocking and TCP_NODELAY.
struct Accepted {
  Fd fd;
  Address peer;
  bool would_block = false;
  int error_number = 0;
};
Accepted accept_tcp(int listener);

/// Starts a connection; it is there when the descriptor is writable and connect_error() answers 0.
Result<Fd> connect_tcp(const Address& address);
int connect_error(int fd);

SocketResult read_socket(int fd, char* buffer, size_t bytes_max);
SocketResult write_socket(int fd, const IoSlice* slices, int count);
/// Waits on this thread until the descriptor can be read / written; false after `timeout_ns` (below
/// 0: no limit). Interrupted waits (EINTR) answer false with interrupted = true when asked for.
bool wait_descriptor(int fd, bool read, bool write, int64_t timeout_ns,
                     bool* interrupted = nullptr);
/// Waits until one of two descriptors can be read, or the time is over (below 0: no limit), or a
/// signal came.
struct ReadablePair {
  bool first = false;
  bool second = false;
};
ReadablePair wait_either_readable(int first, int second, int64_t timeout_ns);
std::string error_text(int error_number);
/// An error of the system that an accept loop should wait out (no descriptors, no memory) instead
/// of spinning.
bool is_resource_error(int error_number);

}  // namespace martlet::io
