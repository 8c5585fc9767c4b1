// SPDX-License-Identifier: Apache-2.0
//
// Owns the hand-over between a thread that looks a name up and the loop.
#include "client/name_lookup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

#include "io/thread.hpp"

namespace martlet::client {

/// One lookup; its thread keeps it alive. Locks: mutex, then the loop's own for posting.
struct NameLookup::Running {
  std::string host;
  uint16_t port = 0;
  std::thread thread;              // Only the loop.
  NameLookup* listener = nullptr;  // Only the loop; null: nobody waits for it.
  std::mutex mutex;
  io::Loop* loop = nullptr;  // GUARDED_BY mutex; null: nobody waits for it.
  bool has_ended = false;    // GUARDED_BY mutex
  Result<std::vector<io::Address>> addresses{std::vector<io::Address>()};  // GUARDED_BY mutex

  bool is_over() {
    std::lock_guard<std::mutex> lock(mutex);
    return has_ended;
  }
  /// Answers whether it is still under way; if so, `its_listener` hears of its end.
  bool listen(NameLookup* its_listener, io::Loop* its_loop) {
    std::lock_guard<std::mutex> lock(mutex);
    listener = its_listener;
    loop = its_loop;
    return !has_ended;
  }
};

NameLookup::~NameLookup() {
  cancel();
  forget_ended();
  for (const std::shared_ptr<Running>& running : running_) running->thread.detach();
}

Status NameLookup::start(const std::string& host, uint16_t port) {
  cancel();
  forget_ended();
  for (const std::shared_ptr<Running>& running : running_) {
    if (running->host != host || running->port != port) continue;
    if (running->listen(this, &loop_)) {
      current_ = running;
      return Status();
    }
    running->listen(nullptr, nullptr);
  }
  if (running_.size() >= running_max) {
    return Status(ErrorCode::limit_reached,
                  fmt::format("the lookup of \"{}\" has to wait: {} others are not answered", host,
                              running_.size()));
  }
  const std::shared_ptr<Running> running = std::make_shared<Running>();
  running->host = host;
  running->port = port;
  running->listen(this, &loop_);
  running_.reserve(running_max);  // A thread that has begun must be remembered.
  Result<std::thread> thread = io::start_thread(
      "the lookup of a name", [running, resolver = resolver_] { run(running, resolver); });
  if (!thread) return thread.take_error();
  running->thread = std::move(*thread);
  running_.push_back(running);
  current_ = running;
  return Status();
}

void NameLookup::run(const std::shared_ptr<Running>& running, const Resolver& resolver) {
  // Nothing may leave a thread: the host's process would end (docs/adr/0015).
  Result<std::vector<io::Address>> addresses = Error{ErrorCode::out_of_memory, ""};
  try {
    addresses = resolver(running->host, running->port);
  } catch (const std::bad_alloc&) {  // The error above is the answer.
  }
  std::lock_guard<std::mutex> lock(running->mutex);
  running->addresses = std::move(addresses);
  running->has_ended = true;
  if (running->loop == nullptr) return;
  try {
    running->loop->post([running] {
      if (running->listener != nullptr) running->listener->deliver(running);
    });
  } catch (const std::bad_alloc&) {  // Nobody hears of it; the time of the attempt ends the wait.
  }
}

void NameLookup::deliver(const std::shared_ptr<Running>& running) {
  cancel();
  Result<std::vector<io::Address>> addresses = [&running] {
    std::lock_guard<std::mutex> lock(running->mutex);
    return std::move(running->addresses);
  }();
  forget_ended();
  owner_.on_looked_up(std::move(addresses));
}

void NameLookup::cancel() {
  if (current_ == nullptr) return;
  current_->listen(nullptr, nullptr);
  current_.reset();
}

// What has ended is behind its last use of the lock: joining it takes no time.
void NameLookup::forget_ended() {
  std::erase_if(running_, [](const std::shared_ptr<Running>& running) {
    if (!running->is_over()) return false;
    running->thread.join();
    return true;
  });
}

}  // namespace martlet::client
