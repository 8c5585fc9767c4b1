// SPDX-License-Identifier: Apache-2.0
//
// Owns SyslogClient over POSIX sockets.
#include "io/syslog_client.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>
#include <utility>

#include "base/clock.hpp"
#include "io/process.hpp"
#include "io/system_words.hpp"

namespace martlet::io {
namespace {

constexpr int daemon_facility = 3;
constexpr const char* local_paths[] = {"/dev/log", "/var/run/syslog", "/var/run/log"};

Result<int> open_unix(const std::string& path) {
  sockaddr_un address{};
  if (path.size() >= sizeof address.sun_path)
    return {ErrorCode::invalid_argument, path + ": path too long"};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  int error = 0;
  for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
    const int descriptor = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) {
      error = errno;
      continue;
    }
    if (connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
      return descriptor;
    error = errno;
    close(descriptor);
  }
  return {ErrorCode::io, fmt::format("{}: {}", path, system_words(error))};
}

Result<int> open_network(int type, const std::string& host_port) {
  const size_t colon = host_port.rfind(':');
  if (colon == std::string::npos) return {ErrorCode::invalid_argument, host_port + ": no port"};
  std::string host = host_port.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = type;
  addrinfo* list = nullptr;
  const int failed = getaddrinfo(host.c_str(), host_port.c_str() + colon + 1, &hints, &list);
  if (failed != 0) return {ErrorCode::io, fmt::format("{}: {}", host_port, gai_strerror(failed))};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, &freeaddrinfo);
  int error = 0;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    const int descriptor =
        socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol);
    if (descriptor >= 0 && connect(descriptor, one->ai_addr, one->ai_addrlen) == 0)
      return descriptor;
    error = errno;
    if (descriptor >= 0) close(descriptor);
  }
  return {ErrorCode::io, fmt::format("{}: {}", host_port, system_words(error))};
}

Result<int> open_address(const std::string& address) {
  if (address.empty()) {
    for (const char* const path : local_paths) {
      Result<int> descriptor = open_unix(path);
      if (descriptor) return descriptor;
    }
    return {ErrorCode::io, "no syslog on this machine (/dev/log)"};
  }
  const auto has_scheme = [&address](std::string_view scheme) {
    return address.starts_with(scheme);
  };
  if (has_scheme("udp://")) return open_network(SOCK_DGRAM, address.substr(6));
  if (has_scheme("tcp://")) return open_network(SOCK_STREAM, address.substr(6));
  if (has_scheme("unix://")) return open_unix(address.substr(7));
  return {ErrorCode::invalid_argument, fmt::format("{}: not udp://, tcp:// or unix://", address)};
}

// As getpeername tells it; empty when nobody is there.
std::string peer_address(int descriptor) {
  sockaddr_storage peer{};
  socklen_t bytes = sizeof peer;
  if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &bytes) != 0) return {};
  return std::string(reinterpret_cast<const char*>(&peer), bytes);
}

// Begins a connection as `descriptor` is one, to `peer`; nothing is waited for.
int begin_connection(int descriptor, const std::string& peer) {
  int type = 0;
  socklen_t bytes = sizeof type;
  if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &bytes) != 0) return -1;
  sockaddr_storage address{};
  std::memcpy(&address, peer.data(), peer.size());
  const int begun = socket(address.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (begun < 0) return -1;
  const auto* const to = reinterpret_cast<const sockaddr*>(&address);
  if (connect(begun, to, static_cast<socklen_t>(peer.size())) == 0 || errno == EINPROGRESS)
    return begun;
  close(begun);
  return -1;
}

// Local: `Jan  2 15:04:05`. Elsewhere: RFC 3339 with this machine's name behind it.
std::string stamp(int64_t wall_ns, bool is_local) {
  const auto seconds = static_cast<std::time_t>(wall_ns / ns_per_s);
  std::tm calendar{};
  localtime_r(&seconds, &calendar);
  char text[64];
  if (is_local)
    return std::string(text, std::strftime(text, sizeof text, "%b %e %H:%M:%S", &calendar));
  std::string out(text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S%z", &calendar));
  if (out.size() >= 2) out.insert(out.size() - 2, ":");
  return out + " " + host_name();
}

}  // namespace

Result<SyslogClient> SyslogClient::connect(const std::string& address, const std::string& tag) {
  Result<int> descriptor = open_address(address);
  if (!descriptor) {
    return {descriptor.code(), "error connecting to syslog: " + descriptor.error().context};
  }
  return SyslogClient(address, tag, *descriptor, address.empty() || address.starts_with("unix://"));
}

SyslogClient::SyslogClient(std::string address, std::string tag, int descriptor, bool is_local)
    : address_(std::move(address)),
      tag_(std::move(tag)),
      process_id_(process_id()),
      descriptor_(descriptor),
      is_local_(is_local) {
  // A name is looked up once: that may take long.
  if (!is_local) peer_ = peer_address(descriptor);
}

SyslogClient::SyslogClient(SyslogClient&& other) noexcept
    : address_(std::move(other.address_)),
      tag_(std::move(other.tag_)),
      process_id_(other.process_id_),
      descriptor_(std::exchange(other.descriptor_, -1)),
      is_local_(other.is_local_),
      peer_(std::move(other.peer_)),
      rest_(std::move(other.rest_)),
      lost_lines_(other.lost_lines_),
      sought_wall_ns_(other.sought_wall_ns_) {}

SyslogClient::~SyslogClient() {
  if (descriptor_ >= 0) close(descriptor_);
}

std::string SyslogClient::message_of(SyslogSeverity severity, int64_t wall_ns,
                                     std::string_view text) const {
  return fmt::format("<{}>{} {}[{}]: {}\n", daemon_facility * 8 + static_cast<int>(severity),
                     stamp(wall_ns, is_local_), tag_, process_id_, text);
}

void SyslogClient::send(SyslogSeverity severity, int64_t wall_ns, std::string_view text) {
  const std::string message = message_of(severity, wall_ns, text);
  Sending outcome = Sending::sent;
  if (lost_lines_ > 0) {
    outcome = put(message_of(
        SyslogSeverity::warning, wall_ns,
        fmt::format("{} lines of this log are lost: they were not taken here", lost_lines_)));
    if (outcome == Sending::sent) lost_lines_ = 0;
  }
  if (outcome == Sending::sent) outcome = put(message);
  if (outcome == Sending::broken && seek_again(wall_ns)) outcome = put(message);
  if (outcome != Sending::sent) lost_lines_ += 1;
}

// Begins a connection to the same address. Over a network it comes about later: until then it is
// full.
bool SyslogClient::seek_again(int64_t wall_ns) {
  if (wall_ns >= sought_wall_ns_ && wall_ns - sought_wall_ns_ < ns_per_s) return false;
  sought_wall_ns_ = wall_ns;
  int again = -1;
  if (is_local_) {
    const Result<int> opened = open_address(address_);
    if (opened) again = *opened;
  } else if (!peer_.empty()) {
    again = begin_connection(descriptor_, peer_);
  }
  if (again < 0) return false;
  close(descriptor_);
  descriptor_ = again;
  rest_.clear();
  return true;
}

SyslogClient::Sending SyslogClient::put(const std::string& message) {
  const Sending before = put_rest();
  if (before != Sending::sent) return before;
  rest_ = message;
  const Sending outcome = put_rest();
  if (rest_.size() == message.size()) rest_.clear();
  return rest_.empty() ? outcome : Sending::sent;
}

SyslogClient::Sending SyslogClient::put_rest() {
  while (!rest_.empty()) {
    const ssize_t sent =
        ::send(descriptor_, rest_.data(), rest_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN ? Sending::full : Sending::broken;
    rest_.erase(0, static_cast<size_t>(sent));
  }
  return Sending::sent;
}

}  // namespace martlet::io
