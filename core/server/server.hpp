// SPDX-License-Identifier: Apache-2.0
//
// Owns a broker as an object: it wires workers, listeners, accounts and monitoring, starts and
// stops them. It installs no signal handler, prints nothing, and leaves no thread and no descriptor
// behind. A process may hold several.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/result.hpp"
#include "broker/account.hpp"
#include "broker/shard.hpp"
#include "broker/subscription.hpp"
#include "link/connector.hpp"
#include "server/options.hpp"

namespace martlet::server {

/// What a server counts; times and sizes in the units of their names.
struct Statistics {
  uint64_t connections = 0;
  uint64_t total_connections = 0;
  uint64_t subscriptions = 0;
  broker::ShardStatistics moved;
  int64_t accounted_bytes = 0;  // What the memory budget counts.
  int64_t start_wall_ns = 0;
  int64_t uptime_ns = 0;
};

/// Lifecycle: create, start, stop, start again …, destroy (which stops). create/start/stop/destroy
/// by one thread at a time, never from a thread of the server itself; everything else from any
/// thread. In a child after fork the copy is inert: start, stop and connect fail with forked, the
/// destructor gives up memory only.
class Server {
 public:
  /// `sink` may be null (silent) and outlives the server.
  static Result<std::unique_ptr<Server>> create(Options options, LogSink* sink);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// When it returns ok, clients can connect. Fails with address_in_use, io or invalid_options and
  /// leaves nothing running.
  Status start();
  Status stop();
  bool is_running() const;

  /// 0: does not listen, or does not run.
  uint16_t client_port() const;
  uint16_t monitoring_port() const;
  /// "nats://127.0.0.1:4222"; empty when it does not listen.
  std::string client_url() const;
  const std::string& id() const;
  const std::string& name() const;
  const Options& options() const;

  Statistics statistics() const;
  /// The same as one line of JSON with the names of /varz; `uptime_ns`, `remote_msgs` (handed to
  /// another loop), `accounted_bytes` and `max_memory` are ours.
  std::string statistics_json() const;
  /// The body of a monitoring page ("/varz", "/connz?subs=1", …); `status` as HTTP has it.
  std::string monitoring_page(const std::string& path_and_query, int& status) const;

  /// The way in for clients of this process. Outlives the server; a new one per call, shared by its
  /// holders.
  std::shared_ptr<link::Connector> connector();

  /// An account made in code, apart from all others. Before start().
  broker::Account& add_account(const std::string& name, const broker::AccountLimits& limits);
  /// As connector(), into an account made in code.
  std::shared_ptr<link::Connector> connector(broker::Account& account,
                                             std::shared_ptr<const auth::Principal> principal);

 private:
  class Core;
  explicit Server(std::shared_ptr<Core> core);
  std::shared_ptr<Core> core_;  // Shared with connectors, which outlive the server.
};

}  // namespace martlet::server
