// SPDX-License-Identifier: Apache-2.0
//
// Owns the way of a message out: what the server takes, the copy into the outgoing buffer, who is
// to write it, and who waits until there is room for one more.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "client/connection_shared.hpp"

namespace martlet::client {

class ConnectionPublisher {
 public:
  /// Calls of notify_capacity() that wait for room at once.
  static constexpr size_t capacity_waiters_max = 65536;

  explicit ConnectionPublisher(ConnectionShared& shared) : shared_(shared) {}
  ConnectionPublisher(const ConnectionPublisher&) = delete;
  ConnectionPublisher& operator=(const ConnectionPublisher&) = delete;

  // --- any thread; as in client/connection.hpp ---

  /// `at_once`: written by the caller now, as far as the stream takes it.
  /// `out_number`: as in OutgoingBuffer::publish().
  Status publish(const PublishView& message, bool at_once, int64_t* out_number = nullptr);
  Status wait_capacity(int64_t message_bytes, int64_t timeout_ns);
  Status notify_capacity(int64_t message_bytes, const std::shared_ptr<CompletionQueue>& queue,
                         int64_t cookie);

  // --- on the loop ---

  void set_server_limits(int64_t max_payload_bytes, bool headers) {
    max_payload_.store(max_payload_bytes, std::memory_order_relaxed);
    server_headers_.store(headers, std::memory_order_relaxed);
  }
  /// Tells those for whom there is room now.
  void tell_capacity() {
    if (shared_.room_is_asked_for.load(std::memory_order_acquire)) tell_waiters();
  }
  /// The connection is closed: tells all. The shared mutex is held.
  void fail_waiters_locked(FeedWriter& writer);

 private:
  struct CapacityWaiter {
    int64_t message_bytes;
    std::shared_ptr<CompletionQueue> queue;  // Shared with its owner until it is told.
    int64_t cookie;
  };

  Status check_sizes(const PublishView& message) const;
  OutgoingBuffer::IdleRule idle_rule() const;
  void tell_waiters();
  static void tell(const CapacityWaiter& waiter, ErrorCode code, FeedWriter& writer);

  ConnectionShared& shared_;
  std::atomic<int64_t> max_payload_{-1};  // Below 0: not known yet.
  std::atomic<bool> server_headers_{true};
  std::vector<CapacityWaiter> waiters_;  // GUARDED_BY the shared mutex
};

}  // namespace martlet::client
