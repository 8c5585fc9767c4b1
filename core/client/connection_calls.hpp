// SPDX-License-Identifier: Apache-2.0
//
// Owns the calls that the server or another client answers: flushes and requests, waited for or
// told through a queue, the one inbox that all requests share, and the timer that ends those that
// are too late. The answers are put together in client/call_table.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "client/connection_publisher.hpp"
#include "client/connection_shared.hpp"
#include "client/nuid.hpp"

namespace martlet::client {

class ConnectionCalls {
 public:
  ConnectionCalls(ConnectionShared& shared, ConnectionPublisher& publisher);
  ConnectionCalls(const ConnectionCalls&) = delete;
  ConnectionCalls& operator=(const ConnectionCalls&) = delete;

  // --- any thread; as in client/connection.hpp ---

  Status ping(int64_t timeout_ns, int64_t* out_rtt_ns);
  Status ping_start(int64_t timeout_ns, CallTarget target);
  Result<Batch> request(const PublishView& message, int64_t timeout_ns);
  Status request_start(const PublishView& message, int64_t replies_max, int64_t timeout_ns,
                       CallTarget target, uint64_t* out_number = nullptr);
  std::string new_inbox();

  // --- on the loop ---

  /// Sets the timer for the next deadline, if an earlier one has come up.
  void watch_deadline();
  void stop();

 private:
  Status open_inbox_locked(FlushNeed& need);
  void note_published(uint64_t number, int64_t publish_number);
  void forget_request(uint64_t number);
  void arm_deadline(int64_t deadline_ns);
  void expire();

  ConnectionShared& shared_;
  ConnectionPublisher& publisher_;
  Nuid nuid_;  // GUARDED_BY the shared mutex
  std::atomic<int64_t> armed_deadline_ns_{-1};
  io::Timer deadline_timer_;
};

}  // namespace martlet::client
