// SPDX-License-Identifier: Apache-2.0
//
// Owns the face of a server towards those who hold it.
#include "server/server.hpp"

#include <fmt/format.h>

#include "base/json_writer.hpp"
#include "server/server_core.hpp"
#include "server/statistics_writer.hpp"

namespace martlet::server {

Result<std::unique_ptr<Server>> Server::create(Options options, LogSink* sink) {
  if (options.max_payload > options.max_pending) {
    return Error{ErrorCode::invalid_options,
                 fmt::format("max_payload ({}) cannot be higher than max_pending ({})",
                             options.max_payload, options.max_pending)};
  }
  Result<io::ForkGuard> guard = io::ForkGuard::create();
  if (!guard) return guard.take_error();
  auto core = std::make_shared<Core>(std::move(options), sink, std::move(*guard));
  return std::unique_ptr<Server>(new Server(std::move(core)));
}

Server::Server(std::shared_ptr<Core> core) : core_(std::move(core)) {}

Server::~Server() {
  if (core_->is_forked()) {
    core_->abandon();
  } else {
    (void)core_->stop();
  }
}

Status Server::start() { return core_->start(); }
Status Server::stop() { return core_->stop(); }
bool Server::is_running() const { return core_->run() != nullptr; }

uint16_t Server::client_port() const {
  const std::shared_ptr<Run> run = core_->run();
  return run == nullptr ? 0 : run->client_port;
}

std::string Server::client_url() const {
  const uint16_t port = client_port();
  if (port == 0) return std::string();
  const std::string& host = options().host;
  const bool everywhere = host.empty() || host == "0.0.0.0" || host == "::";
  if (everywhere) return fmt::format("nats://127.0.0.1:{}", port);
  return host.find(':') != std::string::npos ? fmt::format("nats://[{}]:{}", host, port)
                                             : fmt::format("nats://{}:{}", host, port);
}

uint16_t Server::monitoring_port() const {
  const std::shared_ptr<Run> run = core_->run();
  return run == nullptr ? 0 : run->monitoring_port;
}

const std::string& Server::id() const { return core_->id(); }
const std::string& Server::name() const { return core_->name(); }
const Options& Server::options() const { return core_->options(); }

broker::Account& Server::add_account(const std::string& name, const broker::AccountLimits& limits) {
  return core_->add_account(name, limits);
}

namespace {

// Weak: a connector that somebody keeps must not keep a stopped broker's memory.
template <typename Core>
class ServerConnector final : public link::Connector {
 public:
  ServerConnector(std::weak_ptr<Core> core, broker::Account* account,
                  std::shared_ptr<const auth::Authenticator> authenticator)
      : core_(std::move(core)), account_(account), authenticator_(std::move(authenticator)) {}

  Result<std::unique_ptr<transport::ByteStream>> connect() override {
    const std::shared_ptr<Core> core = core_.lock();
    if (core == nullptr) return Error{ErrorCode::no_servers, "the server in this process is gone"};
    return core->connect(account_ == nullptr ? core->global_account() : *account_, authenticator_);
  }

 private:
  std::weak_ptr<Core> core_;
  broker::Account* account_;
  std::shared_ptr<const auth::Authenticator> authenticator_;
};

}  // namespace

std::shared_ptr<link::Connector> Server::connector() {
  return std::make_shared<ServerConnector<Core>>(core_, nullptr, nullptr);
}

std::shared_ptr<link::Connector> Server::connector(
    broker::Account& account, std::shared_ptr<const auth::Principal> principal) {
  auto authenticator = std::make_shared<const auth::Authenticator>(std::move(principal));
  return std::make_shared<ServerConnector<Core>>(core_, &account, std::move(authenticator));
}

Statistics Server::statistics() const { return core_->statistics(); }

std::string Server::monitoring_page(const std::string& path_and_query, int& status) const {
  MonitoringPage page = core_->monitoring_page(path_and_query);
  status = page.status;
  return std::move(page.body);
}

std::string Server::statistics_json() const {
  const Statistics sum = statistics();
  JsonWriter json(JsonWriter::Style::compact);
  json.open_object();
  json.number("uptime_ns", sum.uptime_ns);
  write_counts(json, sum, CountsFor::program);
  write_own_counts(json, sum, options().max_memory);
  json.close_object();
  return json.take();
}

}  // namespace martlet::server
