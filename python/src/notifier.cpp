// SPDX-License-Identifier: Apache-2.0
//
// Owns the descriptor of a notifier (an eventfd).
#include "notifier.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

namespace martlet::python {

std::shared_ptr<Notifier> Notifier::create() {
  const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) {
    PyErr_SetFromErrno(PyExc_OSError);
    return nullptr;
  }
  return std::shared_ptr<Notifier>(new Notifier(fd));
}

Notifier::~Notifier() { close(); }

void Notifier::close() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bool Notifier::has_noted() {
  std::lock_guard<std::mutex> lock(mutex_);
  return !noted_.empty();
}

void Notifier::note(int64_t number) {
  // A descriptor that is closed meanwhile could be another's by the time of the write: with the
  // lock.
  std::lock_guard<std::mutex> lock(mutex_);
  noted_.push_back(number);
  const bool is_ours = turning_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  if (is_ours || signalled_ || fd_ < 0) return;
  signalled_ = true;
  const uint64_t one = 1;
  while (write(fd_, &one, sizeof(one)) < 0 && errno == EINTR) {
  }
}

std::vector<int64_t> Notifier::take() {
  std::vector<int64_t> taken;
  std::lock_guard<std::mutex> lock(mutex_);
  if (signalled_) {
    // With the lock: a read after it could eat the signal of a note that came in between.
    uint64_t count = 0;
    while (fd_ >= 0 && read(fd_, &count, sizeof(count)) < 0 && errno == EINTR) {
    }
    signalled_ = false;
  }
  taken.swap(noted_);
  return taken;
}

int64_t Notifier::add(ReaderObject* reader) {
  readers_[next_number_] = reader;
  return next_number_++;
}

ReaderObject* Notifier::find(int64_t number) const {
  const auto found = readers_.find(number);
  return found != readers_.end() ? found->second : nullptr;
}

}  // namespace martlet::python
