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
    const int descriptor = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
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
      descriptor_(descriptor),
      is_local_(is_local) {}

SyslogClient::SyslogClient(SyslogClient&& other) noexcept
    : address_(std::move(other.address_)),
      tag_(std::move(other.tag_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      is_local_(other.is_local_) {}

SyslogClient::~SyslogClient() {
  if (descriptor_ >= 0) close(descriptor_);
}

void SyslogClient::send(SyslogSeverity severity, int64_t wall_ns, std::string_view text) {
  const std::string message =
      fmt::format("<{}>{} {}[{}]: {}\n", daemon_facility * 8 + static_cast<int>(severity),
                  stamp(wall_ns, is_local_), tag_, process_id(), text);
  if (send_once(message)) return;
  Result<int> again = open_address(address_);
  if (!again) return;
  if (descriptor_ >= 0) close(descriptor_);
  descriptor_ = *again;
  send_once(message);
}

bool SyslogClient::send_once(std::string_view message) const {
  while (!message.empty()) {
    const ssize_t sent = ::send(descriptor_, message.data(), message.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    message.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

}  // namespace martlet::io
