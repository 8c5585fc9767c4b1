// SPDX-License-Identifier: Apache-2.0
//
// Owns TCP over the sockets of the system.
#include "io/socket.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstring>

namespace martlet::io {

static_assert(sizeof(IoSlice) == sizeof(iovec));
static_assert(offsetof(IoSlice, data) == offsetof(iovec, iov_base));
static_assert(offsetof(IoSlice, bytes) == offsetof(iovec, iov_len));
static_assert(sizeof(sockaddr_storage) <= sizeof(Address::storage));

namespace {

sockaddr* system_address(Address& address) { return reinterpret_cast<sockaddr*>(address.storage); }
const sockaddr* system_address(const Address& address) {
  return reinterpret_cast<const sockaddr*>(address.storage);
}

void set_flag(int fd, int level, int name) {
  const int on = 1;
  setsockopt(fd, level, name, &on, sizeof on);
}

std::string with_port(std::string_view host, uint16_t port) {
  const bool bracket = host.find(':') != std::string_view::npos;
  return (bracket ? "[" : "") + std::string(host) + (bracket ? "]:" : ":") + std::to_string(port);
}

}  // namespace

void Fd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

void shut_down(const Fd& socket) {
  if (socket.is_open()) ::shutdown(socket.get(), SHUT_RDWR);
}

std::string Address::host() const {
  char text[INET6_ADDRSTRLEN] = "";
  const sockaddr* address = system_address(*this);
  if (address->sa_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, text, sizeof text);
  } else if (address->sa_family == AF_INET6) {
    const in6_addr& ip = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&ip)) {
      inet_ntop(AF_INET, &ip.s6_addr[12], text, sizeof text);
    } else {
      inet_ntop(AF_INET6, &ip, text, sizeof text);
    }
  }
  return text;
}

uint16_t Address::port() const {
  const sockaddr* address = system_address(*this);
  if (address->sa_family == AF_INET)
    return ntohs(reinterpret_cast<const sockaddr_in*>(address)->sin_port);
  if (address->sa_family == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6*>(address)->sin6_port);
  return 0;
}

bool is_numeric_host(std::string_view host) {
  const std::string text(host);
  in6_addr scratch;
  return inet_pton(AF_INET, text.c_str(), &scratch) == 1 ||
         inet_pton(AF_INET6, text.c_str(), &scratch) == 1;
}

Result<std::vector<Address>> resolve(std::string_view host, uint16_t port) {
  const std::string name(host);
  if (name.find('\0') != std::string::npos) {  // The system would look up what is before it.
    return Error{ErrorCode::io, "cannot look up host \"" + name + "\": it holds a NUL"};
  }
  const std::string service = std::to_string(port);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | AI_PASSIVE | (is_numeric_host(host) ? AI_NUMERICHOST : 0);
  addrinfo* found = nullptr;
  const int code =
      getaddrinfo(name.empty() ? nullptr : name.c_str(), service.c_str(), &hints, &found);
  if (code != 0) {
    return Error{ErrorCode::io, "cannot look up host \"" + name + "\": " + gai_strerror(code)};
  }
  std::vector<Address> addresses;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    Address address;
    std::memcpy(address.storage, entry->ai_addr, entry->ai_addrlen);
    address.length = entry->ai_addrlen;
    addresses.push_back(address);
  }
  freeaddrinfo(found);
  return addresses;
}

Result<Fd> listen_tcp(std::string_view host, uint16_t port, int backlog) {
  // As nats-server does: "0.0.0.0" and nothing mean every address, of both families where the
  // system has both.
  const bool everywhere = host.empty() || host == "0.0.0.0" || host == "::";
  Result<std::vector<Address>> addresses = resolve(everywhere ? "::" : host, port);
  if (!addresses) return addresses.take_error();
  if (everywhere) {
    Result<std::vector<Address>> four = resolve("0.0.0.0", port);
    if (four) addresses->insert(addresses->end(), four->begin(), four->end());
  }
  Error last{ErrorCode::io, "cannot listen on " + with_port(host, port) + ": no address"};
  for (const Address& address : *addresses) {
    Fd fd(::socket(system_address(address)->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                   0));
    if (!fd.is_open()) {
      last.context = "cannot listen on " + with_port(host, port) + ": " + error_text(errno);
      continue;
    }
    set_flag(fd.get(), SOL_SOCKET, SO_REUSEADDR);
    if (everywhere && system_address(address)->sa_family == AF_INET6) {
      const int off = 0;
      setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    }
    if (::bind(fd.get(), system_address(address), address.length) == 0 &&
        ::listen(fd.get(), backlog) == 0) {
      return fd;
    }
    last.code = errno == EADDRINUSE ? ErrorCode::address_in_use : ErrorCode::io;
    last.context = "cannot listen on " + with_port(host, port) + ": " + error_text(errno);
    if (errno == EADDRINUSE) break;
  }
  return last;
}

Result<Address> local_address(int fd) {
  Address address;
  socklen_t length = sizeof address.storage;
  if (getsockname(fd, system_address(address), &length) != 0) {
    return Error{ErrorCode::io, "cannot read a socket's address: " + error_text(errno)};
  }
  address.length = length;
  return address;
}

Result<uint16_t> local_port(int fd) {
  Result<Address> address = local_address(fd);
  if (!address) return address.take_error();
  return address->port();
}

Accepted accept_tcp(int listener) {
  Accepted accepted;
  socklen_t length = sizeof accepted.peer.storage;
  int fd = -1;
  do {
    fd = ::accept4(listener, system_address(accepted.peer), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  } while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
  if (fd < 0) {
    accepted.would_block = errno == EAGAIN || errno == EWOULDBLOCK;
    accepted.error_number = accepted.would_block ? 0 : errno;
    return accepted;
  }
  accepted.peer.length = length;
  accepted.fd.reset(fd);
  set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
  return accepted;
}

Result<Fd> connect_tcp(const Address& address) {
  Fd fd(
      ::socket(system_address(address)->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return Error{ErrorCode::io, "no socket: " + error_text(errno)};
  set_flag(fd.get(), IPPROTO_TCP, TCP_NODELAY);
  int status = 0;
  do {
    status = ::connect(fd.get(), system_address(address), address.length);
  } while (status != 0 && errno == EINTR);
  if (status != 0 && errno != EINPROGRESS) {
    return Error{ErrorCode::io, "cannot connect to " + with_port(address.host(), address.port()) +
                                    ": " + error_text(errno)};
  }
  return fd;
}

int connect_error(int fd) {
  int error_number = 0;
  socklen_t length = sizeof error_number;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error_number, &length) != 0) return errno;
  return error_number;
}

SocketResult read_socket(int fd, char* buffer, size_t bytes_max) {
  ssize_t bytes = 0;
  do {
    bytes = ::recv(fd, buffer, bytes_max, 0);
  } while (bytes < 0 && errno == EINTR);
  SocketResult result;
  if (bytes > 0) {
    result.bytes = static_cast<size_t>(bytes);
  } else if (bytes == 0) {
    result.end = true;
  } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
    result.would_block = true;
  } else {
    result.error_number = errno;
  }
  return result;
}

SocketResult write_socket(int fd, const IoSlice* slices, int count) {
  ssize_t bytes = 0;
  do {
    if (count == 1) {
      bytes = ::send(fd, slices[0].data, slices[0].bytes, MSG_NOSIGNAL);
    } else {
      msghdr message{};
      message.msg_iov = const_cast<iovec*>(reinterpret_cast<const iovec*>(slices));
      message.msg_iovlen = static_cast<size_t>(count > IOV_MAX ? IOV_MAX : count);
      bytes = ::sendmsg(fd, &message, MSG_NOSIGNAL);
    }
  } while (bytes < 0 && errno == EINTR);
  SocketResult result;
  if (bytes >= 0) {
    result.bytes = static_cast<size_t>(bytes);
  } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
    result.would_block = true;
  } else {
    result.error_number = errno;
  }
  return result;
}

bool wait_descriptor(int fd, bool read, bool write, int64_t timeout_ns, bool* interrupted) {
  pollfd entry{fd, static_cast<short>((read ? POLLIN : 0) | (write ? POLLOUT : 0)), 0};
  timespec timeout{static_cast<time_t>(timeout_ns / 1000000000),
                   static_cast<long>(timeout_ns % 1000000000)};
  if (interrupted != nullptr) *interrupted = false;
  const int ready = ::ppoll(&entry, 1, timeout_ns < 0 ? nullptr : &timeout, nullptr);
  if (ready < 0 && errno == EINTR && interrupted != nullptr) *interrupted = true;
  return ready > 0;
}

ReadablePair wait_either_readable(int first, int second, int64_t timeout_ns) {
  pollfd entries[2] = {{first, POLLIN, 0}, {second, POLLIN, 0}};
  timespec timeout{static_cast<time_t>(timeout_ns / 1000000000),
                   static_cast<long>(timeout_ns % 1000000000)};
  if (::ppoll(entries, 2, timeout_ns < 0 ? nullptr : &timeout, nullptr) <= 0) return {};
  return {entries[0].revents != 0, entries[1].revents != 0};
}

std::string error_text(int error_number) {
  char buffer[128];
  return strerror_r(error_number, buffer, sizeof buffer);
}

bool is_resource_error(int error_number) {
  return error_number == EMFILE || error_number == ENFILE || error_number == ENOMEM ||
         error_number == ENOBUFS;
}

}  // namespace martlet::io
