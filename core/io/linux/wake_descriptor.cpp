// SPDX-License-Identifier: Apache-2.0
//
// Owns WakeDescriptor over eventfd.
#include "io/wake_descriptor.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace martlet::io {

Result<WakeDescriptor> WakeDescriptor::create() {
  const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) return Error{ErrorCode::io, "eventfd: " + error_text(errno)};
  return WakeDescriptor(Fd(fd));
}

void WakeDescriptor::signal() const {
  const uint64_t one = 1;
  // A full counter (EAGAIN) is readable already, which is all that a signal promises.
  while (::write(fd_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
}

void WakeDescriptor::clear() const {
  uint64_t count = 0;
  while (::read(fd_.get(), &count, sizeof count) < 0 && errno == EINTR) {
  }
}

}  // namespace martlet::io
