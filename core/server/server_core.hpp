// SPDX-License-Identifier: Apache-2.0
//
// Owns what stands behind a Server: the accounts, and one run of it (workers, listener, monitoring)
// between start and stop. Shared with the connectors, which outlive the server.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/memory_budget.hpp"
#include "io/fork_guard.hpp"
#include "io/http_server.hpp"
#include "io/system_clock.hpp"
#include "net/listener.hpp"
#include "net/slow_worker.hpp"
#include "net/worker.hpp"
#include "server/closed_connections.hpp"
#include "server/host_port.hpp"
#include "server/monitoring.hpp"
#include "server/server.hpp"

namespace martlet::server {

/// One run. Made by start, unmade by stop, in the order of the members reversed.
struct Run {
  explicit Run(const Options& options)
      : budget(options.max_memory), closed_connections(options.max_closed_clients, budget) {}

  /// A newcomer, counted before it is let in or refused; answers how many there are with it.
  int64_t count_in() {
    budget.add(net::Connection::charge_bytes);
    return connections.fetch_add(1, std::memory_order_relaxed) + 1;
  }
  void count_out() {
    connections.fetch_sub(1, std::memory_order_relaxed);
    budget.remove(net::Connection::charge_bytes);
  }

  MemoryBudget budget;
  ClosedConnections closed_connections;
  net::SlowWorker slow_worker;
  std::mutex exchange_mutex;
  std::vector<std::unique_ptr<net::Worker>> workers;
  std::unique_ptr<net::Listener> listener;
  std::shared_ptr<const protocol::ServerInfo> info;
  std::shared_ptr<const auth::Authenticator> authenticator;
  uint16_t client_port = 0;
  uint16_t monitoring_port = 0;
  int64_t start_wall_ns = 0;
  int64_t start_monotonic_ns = 0;
  std::atomic<uint64_t> next_client_id{1};
  std::atomic<uint64_t> total_connections{0};
  std::atomic<int64_t> connections{0};
  std::atomic<bool> is_stopping{false};  // Who waits for the loops may give up.
  std::unique_ptr<Monitoring> monitoring;
  std::unique_ptr<io::HttpServer>
      http;  // Null: no monitoring port. Makes its pages with all of the above.
};

class Server::Core : public std::enable_shared_from_this<Server::Core> {
 public:
  Core(Options options, LogSink* sink, io::ForkGuard guard);
  ~Core();

  Status start();
  Status stop();
  /// The run under way, kept alive by the caller while it looks; null when there is none.
  std::shared_ptr<Run> run() const;
  bool is_forked() const { return guard_.is_forked(); }
  /// In a forked child: forgets the run without touching what the parent shares.
  void abandon();

  Result<std::unique_ptr<transport::ByteStream>> connect(
      broker::Account& account, std::shared_ptr<const auth::Authenticator> authenticator);
  broker::Account& add_account(const std::string& name, const broker::AccountLimits& limits);
  Statistics statistics() const;
  MonitoringPage monitoring_page(const std::string& path_and_query) const;

  const Options& options() const { return options_; }
  const std::string& id() const { return id_; }
  const std::string& name() const { return name_; }
  broker::Account& global_account() { return *accounts_.front(); }
  const std::vector<std::unique_ptr<broker::Account>>& accounts() const { return accounts_; }
  const io::SystemClock& clock() const { return clock_; }
  Logger& log() { return log_; }

 private:
  Status start_workers(Run& run);
  void charge_accounts(MemoryBudget* budget);
  Status start_threads(Run& run);
  static void stop_threads(Run& run);
  Status start_listener(Run& run);
  Result<HostPort> advertised_address(const Run& run) const;
  Status open_monitoring(Run& run);
  void on_connection_closing(Run& run, const net::Connection& connection);
  bool on_accept(Run& run, std::unique_ptr<transport::ByteStream> stream);
  bool admit(Run& run, std::unique_ptr<transport::ByteStream> stream, broker::SessionSetup setup,
             bool is_limited);
  broker::SessionSetup session_setup(Run& run, const transport::ByteStream& stream,
                                     broker::Account& account) const;
  net::Worker& least_loaded(Run& run);

  const Options options_;
  const std::string options_digest_;
  io::ForkGuard guard_;
  io::SystemClock clock_;
  Logger log_;
  std::string id_;
  std::string name_;
  uint64_t seed_;
  std::vector<std::unique_ptr<broker::Account>> accounts_;  // The first is $G.
  mutable std::mutex run_mutex_;
  std::shared_ptr<Run>
      run_;  // GUARDED_BY run_mutex_. Shared by those who look at it while stop() takes it down.
};

}  // namespace martlet::server
