// SPDX-License-Identifier: Apache-2.0
//
// Owns the orderly end of a connection: subscriptions end behind a barrier of the server's, queues
// are polled empty if that was asked for, what was published is sent and answered for, and all of
// it within a time. It closes nothing itself: its owner hears of the end.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "client/connection_shared.hpp"

namespace martlet::client {

class DrainOwner {
 public:
  virtual void on_drain_end(ErrorCode code, const std::string& why) = 0;

 protected:
  ~DrainOwner() = default;
};

class ConnectionDrain {
 public:
  ConnectionDrain(ConnectionShared& shared, DrainOwner& owner);
  ConnectionDrain(const ConnectionDrain&) = delete;
  ConnectionDrain& operator=(const ConnectionDrain&) = delete;

  /// Any thread. Below 0: the time of the options. Fails with out_of_memory: then it does not
  /// drain.
  Status start(int64_t timeout_ns, bool waits_for_queues);

  // --- on the loop ---

  /// The server answered the barrier: nothing more comes for the subscriptions. The shared mutex is
  /// held.
  void end_subscriptions_locked(FeedWriter& writer);
  /// The same, when no lock is held any more.
  void on_barrier();
  /// The connection is closed.
  void stop();

 private:
  void begin(int64_t timeout_ns, bool waits_for_queues);
  void go_on();

  ConnectionShared& shared_;
  DrainOwner& owner_;
  // Only the loop.
  int64_t until_ns_ = 0;
  bool waits_for_queues_ = false;
  bool flushing_ = false;  // The second barrier is out: behind everything that was published.
  std::vector<std::shared_ptr<SubscriptionState>>
      drained_;  // Shared: their handles may go while we look at them.
  io::Timer timer_;
};

}  // namespace martlet::client
