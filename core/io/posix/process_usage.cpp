// SPDX-License-Identifier: Apache-2.0
//
// Owns the questions to the system: /proc for memory, getrusage for time.
#include "io/process_usage.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

namespace martlet::io {
namespace {

int64_t resident_bytes() {
  const int fd = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[128];
  const ssize_t bytes = ::read(fd, text, sizeof text - 1);
  ::close(fd);
  if (bytes <= 0) return 0;
  text[bytes] = '\0';
  long long total_pages = 0;
  long long resident_pages = 0;
  if (std::sscanf(text, "%lld %lld", &total_pages, &resident_pages) != 2) return 0;
  return resident_pages * ::sysconf(_SC_PAGESIZE);
}

int64_t nanoseconds(const timeval& time) {
  return time.tv_sec * 1'000'000'000LL + time.tv_usec * 1000LL;
}

}  // namespace

ProcessUsage process_usage() {
  ProcessUsage usage;
  usage.resident_bytes = resident_bytes();
  rusage system{};
  if (::getrusage(RUSAGE_SELF, &system) == 0)
    usage.cpu_ns = nanoseconds(system.ru_utime) + nanoseconds(system.ru_stime);
  return usage;
}

int32_t processor_count() {
  const unsigned count = std::thread::hardware_concurrency();
  return count == 0 ? 1 : static_cast<int32_t>(count);
}

}  // namespace martlet::io
