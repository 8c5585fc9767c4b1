// SPDX-License-Identifier: Apache-2.0
//
// Owns what the program does with subscriptions: begin, end, end after a number of messages or
// after all that is under way. Their messages are delivered by client/connection_input.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "client/connection_input.hpp"
#include "client/connection_shared.hpp"

namespace martlet::client {

/// Any thread; as in client/connection.hpp.
class ConnectionSubscriptions {
 public:
  ConnectionSubscriptions(ConnectionShared& shared, ConnectionInput& input)
      : shared_(shared), input_(input) {}
  ConnectionSubscriptions(const ConnectionSubscriptions&) = delete;
  ConnectionSubscriptions& operator=(const ConnectionSubscriptions&) = delete;

  Result<std::shared_ptr<SubscriptionState>> subscribe(
      std::string_view subject, std::string_view group, const FeedOptions& bounds,
      const std::shared_ptr<CompletionQueue>& queue, int64_t cookie);
  Status unsubscribe(SubscriptionState& subscription);
  Status auto_unsubscribe(SubscriptionState& subscription, int64_t messages_max);
  Status drain(SubscriptionState& subscription);

  // --- on the loop ---

  /// The server refused a line of ours for its length, and it can only have been one that
  /// subscribes: ends the longest, so that it is not restored again and again.
  void end_longest();

 private:
  ConnectionShared& shared_;
  ConnectionInput& input_;
};

}  // namespace martlet::client
