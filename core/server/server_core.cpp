// SPDX-License-Identifier: Apache-2.0
//
// Owns start and stop, the admission of connections, and the sums over the workers.
#include "server/server_core.hpp"

#include <fmt/format.h>

#include "auth/server_id.hpp"
#include "base/out_of_memory.hpp"
#include "io/entropy.hpp"
#include "link/memory_pipe.hpp"
#include "server/options_digest.hpp"

namespace martlet::server {
namespace {

constexpr int listen_backlog = 1024;

std::string new_server_id() {
  std::array<uint8_t, 32> key;
  io::fill_random(key.data(), key.size());
  return auth::encode_server_id(key);
}

LogLevel log_level(const Options& options) {
  return options.trace ? LogLevel::trace : options.debug ? LogLevel::debug : LogLevel::info;
}

broker::SessionOptionsSnapshot session_options(const Options& options, bool auth_required) {
  auto session = std::make_shared<broker::SessionOptions>();
  session->control_line_bytes_max = options.max_control_line;
  session->payload_bytes_max = options.max_payload;
  session->pending_bytes_max = options.max_pending;
  session->subscriptions_max = options.max_subscriptions;
  session->subject_tokens_max = options.max_sub_tokens;
  session->ping_interval_ns = options.ping_interval_ns;
  session->pings_out_max = options.ping_max;
  session->auth_timeout_ns = options.auth_timeout_ns;
  session->write_deadline_ns = options.write_deadline_ns;
  session->headers = !options.no_header_support;
  session->auth_required = auth_required;
  session->stalls_producers = !options.no_fast_producer_stall;
  session->trace = options.trace;
  return session;
}

io::HttpResponse http_response(MonitoringPage page) {
  io::HttpResponse response;
  response.status = page.status;
  response.body = std::move(page.body);
  switch (page.kind) {
    case MonitoringPage::Kind::json:
      response.headers = "Access-Control-Allow-Origin: *\r\n";
      response.content_type = "application/json";
      break;
    case MonitoringPage::Kind::html:
      response.content_type = "text/html; charset=utf-8";
      break;
    case MonitoringPage::Kind::text:
      response.headers = "X-Content-Type-Options: nosniff\r\n";
      break;
  }
  return response;
}

}  // namespace

Server::Core::Core(Options options, LogSink* sink, io::ForkGuard guard)
    : options_(std::move(options)),
      options_digest_(options_digest(options_)),
      guard_(std::move(guard)),
      log_(sink, log_level(options_)),
      id_(new_server_id()),
      name_(options_.server_name.empty() ? id_ : options_.server_name),
      seed_(io::random_seed()) {
  accounts_.push_back(std::make_unique<broker::Account>("$G", 1, seed_, broker::AccountLimits{}));
}

Server::Core::~Core() = default;

broker::Account& Server::Core::add_account(const std::string& name,
                                           const broker::AccountLimits& limits) {
  const uint32_t id = static_cast<uint32_t>(accounts_.size()) + 1;
  accounts_.push_back(std::make_unique<broker::Account>(name, id, seed_ + id, limits));
  return *accounts_.back();
}

std::shared_ptr<Run> Server::Core::run() const {
  if (is_forked()) return nullptr;
  std::lock_guard<std::mutex> lock(run_mutex_);
  return run_;
}

Status Server::Core::start() {
  if (is_forked()) return Status(ErrorCode::forked, "this server belongs to the parent process");
  if (run() != nullptr) return Status(ErrorCode::invalid_argument, "the server runs already");
  auto run = std::make_shared<Run>(options_);
  run->authenticator = std::make_shared<const auth::Authenticator>(options_.auth);
  run->start_wall_ns = clock_.wall_ns();
  run->start_monotonic_ns = clock_.monotonic_ns();
  Status status = start_workers(*run);
  if (status) status = open_monitoring(*run);
  if (status && options_.listens) status = start_listener(*run);
  Result<HostPort> address = advertised_address(*run);
  if (status && !address) status = address.take_error();
  if (!status) return status;
  auto info = std::make_shared<protocol::ServerInfo>();
  info->server_id = id_;
  info->server_name = name_;
  info->host = address->host;
  info->port = address->port;
  info->headers = !options_.no_header_support;
  info->auth_required = run->authenticator->is_required();
  info->max_payload = options_.max_payload;
  run->info = std::move(info);
  // Nothing runs before everything is there, so that few failures have threads to take back.
  status = start_threads(*run);
  if (!status) {
    stop_threads(*run);
    return status;
  }
  charge_accounts(&run->budget);
  std::lock_guard<std::mutex> lock(run_mutex_);
  run_ = std::move(run);
  return Status();
}

// Where INFO says that clients find this server.
Result<HostPort> Server::Core::advertised_address(const Run& run) const {
  const std::string& text = options_.client_advertise;
  if (text.empty()) return HostPort{options_.host, run.client_port};
  Result<HostPort> address = read_advertised_address(text, run.client_port);
  if (address) return address;
  // In NATS's words.
  return {address.code(),
          fmt::format("Error setting server INFO with ClientAdvertise value of {}, err={}", text,
                      address.error().context)};
}

// What the accounts' tables take counts in the run that is under way.
void Server::Core::charge_accounts(MemoryBudget* budget) {
  for (const std::unique_ptr<broker::Account>& account : accounts_) {
    account->routing().charge_to(budget);
  }
}

Status Server::Core::start_threads(Run& run) {
  Status status;
  const bool fits = fits_into_memory([&] {
    for (const std::unique_ptr<net::Worker>& worker : run.workers) {
      if (status) status = worker->start();
    }
    if (status && run.http != nullptr) status = run.http->start();
  });
  if (fits) return status;
  stop_threads(run);
  return Status(ErrorCode::out_of_memory, "no memory for the server's threads");
}

void Server::Core::stop_threads(Run& run) {
  run.is_stopping.store(true, std::memory_order_relaxed);
  if (run.http != nullptr) run.http->stop();
  for (const std::unique_ptr<net::Worker>& worker : run.workers) worker->begin_stop();
  for (const std::unique_ptr<net::Worker>& worker : run.workers) worker->stop();
  run.slow_worker.stop();
  run.listener.reset();
}

Status Server::Core::start_workers(Run& run) {
  const uint32_t count = options_.loops > 0 ? static_cast<uint32_t>(options_.loops) : 1;
  const broker::SessionOptionsSnapshot options =
      session_options(options_, run.authenticator->is_required());
  std::vector<net::Worker*> peers;
  for (uint32_t i = 0; i < count; i++) {
    net::Worker::Setup setup;
    setup.index = i;
    setup.worker_count = count;
    setup.seed = io::random_seed();
    setup.spin_ns = options_.spin_us * ns_per_us;
    setup.clock = &clock_;
    setup.budget = &run.budget;
    setup.exchange_mutex = &run.exchange_mutex;
    setup.log = log_;
    setup.session_options = options;
    setup.run_slow = [&run](std::function<void()> task) {
      (void)run.slow_worker.run(std::move(task));
    };
    setup.on_connection_closing = [this, &run](net::Connection& connection) {
      on_connection_closing(run, connection);
    };
    setup.on_connection_end = [&run] { run.count_out(); };
    // The listener lives on the first loop: its port must be free again when stop() returns.
    if (i == 0) setup.on_stop = [&run] { run.listener.reset(); };
    Result<std::unique_ptr<net::Worker>> worker = net::Worker::create(std::move(setup));
    if (!worker) return worker.take_error();
    peers.push_back(worker->get());
    run.workers.push_back(std::move(*worker));
  }
  for (const std::unique_ptr<net::Worker>& worker : run.workers) worker->set_peers(peers);
  return Status();
}

Status Server::Core::start_listener(Run& run) {
  const uint16_t port = options_.port < 0 ? 0 : static_cast<uint16_t>(options_.port);
  Result<io::Fd> fd = io::listen_tcp(options_.host, port, listen_backlog);
  if (!fd) return fd.take_error();
  Result<uint16_t> bound = io::local_port(fd->get());
  if (!bound) return bound.take_error();
  run.client_port = *bound;
  run.listener =
      std::make_unique<net::Listener>(run.workers[0]->loop(), std::move(*fd),
                                      [this, &run](std::unique_ptr<transport::ByteStream> stream) {
                                        return on_accept(run, std::move(stream));
                                      });
  return run.listener->start();
}

Status Server::Core::open_monitoring(Run& run) {
  run.monitoring = std::make_unique<Monitoring>(
      MonitoringSubject{options_, options_digest_, id_, name_, clock_, accounts_}, run);
  if (options_.http_port == 0) return Status();
  const std::string& host = options_.http_host.empty() ? options_.host : options_.http_host;
  const uint16_t port = options_.http_port < 0 ? 0 : static_cast<uint16_t>(options_.http_port);
  const auto make_page = [&run](const io::HttpRequest& request) {
    return http_response(run.monitoring->page(request.path, request.query));
  };
  Result<std::unique_ptr<io::HttpServer>> http =
      io::HttpServer::create(clock_, host, port, make_page);
  if (!http)
    return Status(http.code(), "can't listen to the monitor port: " + http.error().context);
  run.http = std::move(*http);
  run.monitoring_port = run.http->port();
  return Status();
}

Status Server::Core::stop() {
  if (is_forked()) return Status(ErrorCode::forked, "this server belongs to the parent process");
  std::shared_ptr<Run> run;
  {
    std::lock_guard<std::mutex> lock(run_mutex_);
    run.swap(run_);
  }
  if (run == nullptr) return Status();
  stop_threads(*run);
  charge_accounts(nullptr);
  return Status();
}

void Server::Core::abandon() {
  // Threads, descriptors and locks are the parent's; whatever a destructor here did to them, the
  // parent would feel it.
  new std::shared_ptr<Run>(std::move(run_));
}

net::Worker& Server::Core::least_loaded(Run& run) {
  net::Worker* best = run.workers[0].get();
  for (const std::unique_ptr<net::Worker>& worker : run.workers) {
    if (worker->load() < best->load()) best = worker.get();
  }
  return *best;
}

broker::SessionSetup Server::Core::session_setup(Run& run, const transport::ByteStream& stream,
                                                 broker::Account& account) const {
  broker::SessionSetup setup;
  setup.id = run.next_client_id.fetch_add(1, std::memory_order_relaxed);
  setup.authenticator = run.authenticator;
  setup.info = run.info;
  setup.account = &account;
  setup.client_ip = stream.peer_host();
  const std::string port =
      stream.peer_port() == 0 ? std::string() : fmt::format(":{}", stream.peer_port());
  setup.log =
      broker::SessionLog(log_, fmt::format("{}{} - cid:{}", stream.peer_host(), port, setup.id),
                         options_.max_traced_msg_len);
  setup.log.write(LogLevel::debug, "Client connection created");
  return setup;
}

bool Server::Core::on_accept(Run& run, std::unique_ptr<transport::ByteStream> stream) {
  broker::SessionSetup setup;
  const bool is_admitted =
      fits_into_memory([&] { setup = session_setup(run, *stream, *accounts_.front()); }) &&
      admit(run, std::move(stream), std::move(setup), true);
  if (is_admitted) return true;
  (void)fits_into_memory(
      [&] { log_.write(LogLevel::error, "Out of memory: a new connection is refused"); });
  return false;
}

// Counts the newcomer and gives it to a loop; false when there is no memory for it.
bool Server::Core::admit(Run& run, std::unique_ptr<transport::ByteStream> stream,
                         broker::SessionSetup setup, bool is_limited) {
  const int64_t connections = run.count_in();
  const bool is_full = connections > std::max<int64_t>(options_.max_connections, 0) ||
                       run.budget.refuses_newcomers();
  if (is_limited && is_full) setup.refuse = broker::CloseReason::max_connections_exceeded;
  if (!least_loaded(run).adopt(std::move(stream), std::move(setup))) {
    run.count_out();
    return false;
  }
  run.total_connections.fetch_add(1, std::memory_order_relaxed);
  return true;
}

void Server::Core::on_connection_closing(Run& run, const net::Connection& connection) {
  const broker::Session& session = connection.session();
  session.setup().log.write(LogLevel::debug,
                            fmt::format("Client connection closed: {}",
                                        broker::close_reason_text(session.close_reason())));
  // Nobody will ask for it any more.
  if (run.is_stopping.load(std::memory_order_relaxed)) return;
  const Now now{clock_.wall_ns(), clock_.monotonic_ns()};
  ConnectionRow row = read_connection(connection, now);
  row.stop_wall_ns = now.wall_ns;
  size_t slot = 0;
  (void)session.subscriptions().visit_from(
      slot, ClosedConnections::subscriptions_each_max,
      [&](const broker::Subscription& subscription) {
        row.subscriptions.push_back(read_subscription(session, subscription));
      });
  run.closed_connections.add(std::move(row));
}

Result<std::unique_ptr<transport::ByteStream>> Server::Core::connect(
    broker::Account& account, std::shared_ptr<const auth::Authenticator> authenticator) {
  if (is_forked()) return Error{ErrorCode::forked, "this server belongs to the parent process"};
  const std::shared_ptr<Run> run = this->run();
  if (run == nullptr)
    return Error{ErrorCode::no_servers, "the server in this process does not run"};
  Result<link::PipeEnds> ends = link::make_memory_pipe();
  if (!ends) return ends.take_error();
  broker::SessionSetup setup = session_setup(*run, *ends->second, account);
  if (authenticator != nullptr) setup.authenticator = std::move(authenticator);
  if (!admit(*run, std::move(ends->second), std::move(setup), false))
    return Error{ErrorCode::out_of_memory, "no memory for an in-process connection"};
  return std::move(ends->first);
}

Statistics Server::Core::statistics() const {
  const std::shared_ptr<Run> run = this->run();
  if (run == nullptr) return Statistics();
  Status outcome;
  return run->monitoring->statistics(outcome);
}

MonitoringPage Server::Core::monitoring_page(const std::string& path_and_query) const {
  const std::shared_ptr<Run> run = this->run();
  if (run == nullptr) return unavailable_page(Error{ErrorCode::closed, "the server does not run"});
  const size_t mark = path_and_query.find('?');
  const std::string query =
      mark == std::string::npos ? std::string() : path_and_query.substr(mark + 1);
  return run->monitoring->page(io::decode_url(path_and_query.substr(0, mark), false), query);
}

}  // namespace martlet::server
