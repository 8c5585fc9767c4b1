// SPDX-License-Identifier: Apache-2.0
//
// Owns the guard of the process. That this process is a fork is a fact about the process, not about
// an object: hence the one static. No lock: another thread may have held it when the process was
// forked.
#include "process_mark.hpp"

#include <atomic>
#include <memory>
#include <stdexcept>

namespace martlet::capi {
namespace {
std::atomic<const io::ForkGuard*> current{nullptr};
}  // namespace

const io::ForkGuard* process_guard() {
  const io::ForkGuard* known = current.load(std::memory_order_acquire);
  if (known != nullptr && !known->is_forked()) return known;
  Result<io::ForkGuard> made = io::ForkGuard::create();
  if (!made) throw std::runtime_error(made.error().context);
  auto mine = std::make_unique<const io::ForkGuard>(std::move(*made));
  if (!current.compare_exchange_strong(known, mine.get(), std::memory_order_acq_rel)) return known;
  return mine.release();
}

}  // namespace martlet::capi
