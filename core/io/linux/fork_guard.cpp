// SPDX-License-Identifier: Apache-2.0
//
// Owns ForkGuard over one anonymous page with MADV_WIPEONFORK.
#include "io/fork_guard.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "io/socket.hpp"

namespace martlet::io {
namespace {

size_t page_bytes() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

}  // namespace

Result<ForkGuard> ForkGuard::create() {
  void* const page =
      mmap(nullptr, page_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) {
    return Error{ErrorCode::out_of_memory, "fork guard: " + error_text(errno)};
  }
  if (madvise(page, page_bytes(), MADV_WIPEONFORK) != 0) {
    const int error_number = errno;
    munmap(page, page_bytes());
    return Error{ErrorCode::unsupported,
                 "fork guard: MADV_WIPEONFORK: " + error_text(error_number)};
  }
  volatile uint32_t* const mark = static_cast<volatile uint32_t*>(page);
  *mark = 1;
  return ForkGuard(mark);
}

ForkGuard& ForkGuard::operator=(ForkGuard&& other) noexcept {
  if (this != &other) {
    unmap();
    page_ = other.page_;
    other.page_ = nullptr;
  }
  return *this;
}

ForkGuard::~ForkGuard() { unmap(); }

void ForkGuard::unmap() {
  if (page_ != nullptr) munmap(const_cast<uint32_t*>(page_), page_bytes());
  page_ = nullptr;
}

}  // namespace martlet::io
