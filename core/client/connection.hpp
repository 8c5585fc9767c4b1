// SPDX-License-Identifier: Apache-2.0
//
// Owns the public face of a client's connection to a broker, over TCP or inside the process:
// publish, subscribe, request, flush, drain, close. What it has to tell comes through completion
// queues. The work is done in connection_core.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "client/completion_queue.hpp"
#include "client/connection_options.hpp"
#include "link/connector.hpp"

namespace martlet::client {

class ConnectionCore;
class SubscriptionState;

/// A message to be published, borrowed for the call.
struct PublishView {
  std::string_view subject;
  std::string_view reply;    // Empty: none.
  std::string_view headers;  // Empty, or a block as on the wire (client/header_block.hpp).
  std::string_view data;
};

enum class ConnectionState : uint8_t {
  fresh,       // Made, not connected yet.
  connecting,  // The first connect is under way.
  connected,
  reconnecting,  // Lost; publishes go into the reconnect buffer.
  draining,
  closed,
};

struct ConnectionStatistics {
  int64_t in_messages = 0;
  int64_t in_bytes = 0;  // Payloads and headers.
  int64_t out_messages = 0;
  int64_t out_bytes = 0;
  int64_t reconnects = 0;
  int64_t pending_bytes = 0;  // Published and not written yet.
  int64_t subscriptions = 0;
};

/// What the server said of itself and of this connection. Empty before the first connect.
struct ServerDescription {
  std::string url;
  std::string server_id;
  std::string server_name;
  std::string version;
  int64_t client_id = 0;
  std::string client_ip;
  int64_t max_payload_bytes = 0;
  bool headers = false;
};

/// A subscription of one connection into one queue. Its messages carry its sid and cookie;
/// `subscription_end` is the last thing that it sends. Any thread. Destroying it unsubscribes
/// first; what is in the queue stays there.
class Subscription {
 public:
  explicit Subscription(std::shared_ptr<SubscriptionState> state);
  ~Subscription();
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  int32_t sid() const;
  /// No message enters the queue after this has returned. Fails with closed when it has ended
  /// before.
  Status unsubscribe();
  /// Ends by itself after so many messages, counted from the beginning.
  Status auto_unsubscribe(int64_t messages_max);
  /// What the server sent before it learned of the end still comes.
  Status drain();

  int64_t pending_messages() const;  // Waiting in the queue.
  int64_t pending_bytes() const;
  int64_t dropped() const;    // Refused or dropped at its bound.
  int64_t delivered() const;  // Arrived, whatever became of them.

 private:
  std::shared_ptr<SubscriptionState> state_;
};

/// Lifecycle: create, connect (or start and wait for `connected`), then everything else from any
/// thread, then drain or close, then destroy, which closes. In a child after fork the copy is
/// inert: each call fails with `forked`.
///
/// When bytes leave: publish() copies into a buffer. The first few publishes of each millisecond
/// are written at once by the caller; beyond that they gather until 64 KiB are there (written by
/// the publisher), or somebody waits (written first), or a millisecond or two have passed (own
/// thread), or the next turn (lent loop). Without anybody who would come later (driven by the
/// caller, nobody waiting) every publish is written at once, unless the option `gather` is set.
class Connection {
 public:
  /// `events` may be null: connected, disconnected, error … go there, with `cookie`.
  static Result<std::unique_ptr<Connection>> create(const ConnectionOptions& options,
                                                    std::shared_ptr<CompletionQueue> events,
                                                    int64_t cookie, const Clock& clock);
  /// The same to a broker in this process, without a socket.
  static Result<std::unique_ptr<Connection>> create_in_process(
      std::shared_ptr<link::Connector> connector, const ConnectionOptions& options,
      std::shared_ptr<CompletionQueue> events, int64_t cookie, const Clock& clock);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Connects and waits; below 0: as long as the options say. Fails with no_servers, authorization,
  /// timeout, closed, invalid_argument (called before).
  Status connect(int64_t timeout_ns = -1);
  /// Begins to connect; `connected` or `closed` tells the end.
  Status start();
  ConnectionState state() const;

  /// Copies the message into the outgoing buffer. Fails with `again` when that is at its bound (see
  /// wait_capacity), invalid_subject, payload_too_large, disconnected (and the reconnect buffer is
  /// full or off), unsupported (headers to a server without them), draining, closed.
  Status publish(const PublishView& message);
  /// Waits until a message of this size would be taken. Fails with again (not in time), closed.
  Status wait_capacity(int64_t message_bytes, int64_t timeout_ns);
  /// A `capacity` completion, once, when there is room: at once if there is now.
  Status notify_capacity(int64_t message_bytes, const std::shared_ptr<CompletionQueue>& queue,
                         int64_t cookie);

  /// Writes everything and waits for the server's PONG.
  Status flush(int64_t timeout_ns);
  Status flush_start(int64_t timeout_ns, const std::shared_ptr<CompletionQueue>& queue,
                     int64_t cookie);
  Result<int64_t> rtt_ns(int64_t timeout_ns);

  /// Sends a request (its reply subject is ours) and waits for the first answer: a batch of one
  /// `reply`.
  Result<Batch> request(const PublishView& message, int64_t timeout_ns);
  /// One `reply` completion follows, with an answer or a status.
  Status request_start(const PublishView& message, int64_t timeout_ns,
                       const std::shared_ptr<CompletionQueue>& queue, int64_t cookie);
  /// Up to `replies_max` answers (below 1: no limit) until the time is over; all but the last with
  /// more_follows. When the time ends it, the last is a reply with status `timeout`.
  Status request_many_start(const PublishView& message, int64_t replies_max, int64_t timeout_ns,
                            const std::shared_ptr<CompletionQueue>& queue, int64_t cookie);
  /// A subject of our own that nobody guesses.
  std::string new_inbox();

  /// `group` empty: none. After a flush, every message published anywhere comes.
  Result<std::unique_ptr<Subscription>> subscribe(std::string_view subject, std::string_view group,
                                                  const FeedOptions& bounds,
                                                  const std::shared_ptr<CompletionQueue>& queue,
                                                  int64_t cookie);

  /// Ends the subscriptions in order, sends what was published, then closes. Waits for the end;
  /// below 0: the option.
  Status drain(int64_t timeout_ns = -1);
  /// The same without waiting; publishing stays possible until the queues have been polled empty or
  /// the time is over.
  Status drain_start(int64_t timeout_ns = -1);
  Status close();

  ConnectionStatistics statistics() const;
  ServerDescription server() const;

  // For a lent loop.
  Result<int> descriptor() const;
  /// Does what is to be done, without waiting. Fails with closed, invalid_argument (another way to
  /// run).
  Status process();
  /// How long process() may be left out while the descriptor stays unreadable; below 0: without
  /// limit.
  int64_t next_timeout_ns() const;

 private:
  explicit Connection(std::shared_ptr<ConnectionCore> core);
  std::shared_ptr<ConnectionCore>
      core_;  // Shared with its subscriptions, and with tasks posted to its loop.
};

}  // namespace martlet::client
