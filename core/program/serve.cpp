// SPDX-License-Identifier: Apache-2.0
//
// Owns the order of a run: flags, file, log, server, files, signals, end. The parts are elsewhere.
#include "program/serve.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <optional>

#include "io/process.hpp"
#include "io/signal_waiter.hpp"
#include "io/system_clock.hpp"
#include "program/log_sinks.hpp"
#include "program/server_files.hpp"
#include "program/signal_command.hpp"
#include "server/config_language.hpp"
#include "server/config_options.hpp"
#include "server/config_source.hpp"
#include "server/flags.hpp"
#include "server/server.hpp"

namespace martlet::program {
namespace {

constexpr std::string_view nats_level = "2.15.2";

void print(std::FILE* to, const std::string& text) { std::fwrite(text.data(), 1, text.size(), to); }

// "martlet serve" stands in messages as "martlet".
std::string program_of(const std::string& called_as) {
  return called_as.substr(0, called_as.find(' '));
}

int fail(const std::string& program, const std::string& sentence) {
  print(stderr, fmt::format("{}: {}\n", program, sentence));
  return 1;
}

std::string host_and_port(const std::string& host, uint16_t port) {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

/// One run of the server: from options to the exit status.
class ServeRun {
 public:
  ServeRun(std::string program, server::Options options)
      : program_(std::move(program)), options_(std::move(options)) {}

  int run();

 private:
  bool start();
  void log_greeting();
  void log_listeners();
  Status write_files();
  void wait_for_the_end();
  void say(LogLevel level, const std::string& line) { log_->write(level, line); }
  const std::string& http_host() const {
    return options_.http_host.empty() ? options_.host : options_.http_host;
  }

  const std::string program_;
  const server::Options options_;
  const io::SystemClock clock_;
  io::SignalWaiter signals_;
  std::unique_ptr<ProgramLog> log_;
  std::unique_ptr<server::Server> server_;
  std::optional<PortsFile> ports_file_;
};

int ServeRun::run() {
  const Status status = server::check_options(options_);
  if (!status) return fail(program_, status.error().context);
  Result<std::unique_ptr<ProgramLog>> log = open_log(options_, program_, clock_);
  if (!log) return fail(program_, log.error().context);
  log_ = std::move(*log);
  if (!start()) return 1;
  wait_for_the_end();
  say(LogLevel::info, "Initiating Shutdown...");
  const Status stopped = server_->stop();
  if (!stopped) say(LogLevel::error, stopped.error().context);
  ports_file_.reset();
  say(LogLevel::info, "Server Exiting..");
  return 0;
}

bool ServeRun::start() {
  Result<std::unique_ptr<server::Server>> server = server::Server::create(options_, log_.get());
  if (!server) return say(LogLevel::fatal, server.error().context), false;
  server_ = std::move(*server);
  log_greeting();
  if (!options_.pid_file.empty()) {
    const Status written = write_pid_file(options_.pid_file, io::process_id());
    if (!written)
      return say(LogLevel::fatal, "Could not write pidfile: " + written.error().context), false;
  }
  const Status started = server_->start();
  if (!started) return say(LogLevel::fatal, started.error().context), false;
  const Status files = write_files();
  if (!files) {
    say(LogLevel::fatal, "Error writing ports file: " + files.error().context);
    (void)server_->stop();
    return false;
  }
  log_listeners();
  say(LogLevel::info, "Server is ready");
  return true;
}

void ServeRun::log_greeting() {
  say(LogLevel::info, "Starting martlet");
  say(LogLevel::info, fmt::format("  Version:  {} (NATS {})", MARTLET_VERSION, nats_level));
  say(LogLevel::info, fmt::format("  Name:     {}", server_->name()));
  say(LogLevel::info, fmt::format("  ID:       {}", server_->id()));
  if (!options_.config_file.empty()) {
    say(LogLevel::info, fmt::format("Using configuration file: {} ({})", options_.config_file,
                                    options_.config_digest));
  }
  for (const std::string& sentence : server::options_advice(options_))
    say(LogLevel::warning, sentence);
}

void ServeRun::log_listeners() {
  if (server_->monitoring_port() != 0) {
    say(LogLevel::info, fmt::format("Starting http monitor on {}",
                                    host_and_port(http_host(), server_->monitoring_port())));
  }
  if (server_->client_port() != 0) {
    say(LogLevel::info, fmt::format("Listening for client connections on {}",
                                    host_and_port(options_.host, server_->client_port())));
  }
}

Status ServeRun::write_files() {
  if (options_.ports_file_dir.empty()) return {};
  Ports ports;
  for (const std::string& host : listened_hosts(options_.host)) {
    ports.clients.push_back("nats://" + host_and_port(host, server_->client_port()));
  }
  if (server_->monitoring_port() != 0) {
    for (const std::string& host : listened_hosts(http_host())) {
      ports.monitoring.push_back("http://" + host_and_port(host, server_->monitoring_port()));
    }
  }
  Result<PortsFile> file =
      PortsFile::create(options_.ports_file_dir, program_, io::process_id(), ports);
  if (!file) return file.take_error();
  ports_file_.emplace(std::move(*file));
  return {};
}

void ServeRun::wait_for_the_end() {
  for (;;) {
    switch (signals_.wait()) {
      case io::ProcessSignal::interrupt:
        return say(LogLevel::info, "Trapped \"interrupt\" signal");
      case io::ProcessSignal::user1:
        say(LogLevel::info, "Trapped \"user defined signal 1\" signal");
        if (!log_->reopen()) say(LogLevel::info, "File log re-open ignored, not a file logger");
        break;
      case io::ProcessSignal::user2:
        say(LogLevel::info, "Trapped \"user defined signal 2\" signal");
        say(LogLevel::warning, "Lame duck mode comes later: nothing changes");
        break;
      case io::ProcessSignal::hangup:
        say(LogLevel::info, "Trapped \"hangup\" signal");
        say(LogLevel::warning, "Reload of the configuration comes later: nothing changes");
        break;
      default:
        return say(LogLevel::info, "Trapped \"terminated\" signal");
    }
  }
}

/// What the command line says to do before any server is thought of. Nothing: go on.
std::optional<int> run_simple(const server::ParsedFlags& flags, const std::string& called_as) {
  const std::string program = program_of(called_as);
  if (flags.shows_version) {
    print(stdout, version_line(program));
    return 0;
  }
  if (flags.shows_help) {
    print(stdout, server::flags_usage(called_as));
    return 0;
  }
  if (flags.shows_tls_help) {
    print(stdout, "TLS comes later: this version has no TLS.\n");
    return 0;
  }
  if (!flags.signal.empty()) {
    const Status status = run_signal_command(flags.signal, called_as, SystemProcesses());
    return status ? 0 : fail(program, status.error().context);
  }
  return std::nullopt;
}

}  // namespace

std::string version_line(const std::string& program) {
  if (program == "nats-server")
    return fmt::format("nats-server: v{} (martlet {})\n", nats_level, MARTLET_VERSION);
  return fmt::format("{}: v{} (NATS {})\n", program, MARTLET_VERSION, nats_level);
}

int run_serve(const std::string& called_as, const std::vector<std::string>& arguments) {
  const std::string program = program_of(called_as);
  const Result<server::ParsedFlags> flags = server::parse_flags(arguments);
  if (!flags && flags.code() == ErrorCode::unsupported) return fail(program, flags.error().context);
  if (!flags) {
    // nats-server shows its usage and calls that success; scripts that probe for flags rely on it.
    print(stderr, flags.error().context + "\n");
    print(stdout, server::flags_usage(called_as));
    return 0;
  }
  const std::optional<int> done = run_simple(*flags, called_as);
  if (done) return *done;

  server::Options options;
  if (!flags->config_file.empty()) {
    const Result<server::ConfigTree> tree =
        server::parse_config_file(flags->config_file, server::SystemConfigSource());
    if (!tree) return fail(program, tree.error().context);
    Result<server::ConfiguredOptions> configured = server::options_from_config(*tree, options);
    if (!configured) return fail(program, configured.error().context);
    std::string warnings;
    for (const std::string& warning : configured->warnings) warnings += warning + "\n";
    if (flags->checks_config && !warnings.empty()) return fail(program, warnings);
    print(stderr, warnings);
    options = std::move(configured->options);
    if (flags->checks_config) {
      print(stderr, fmt::format("{}: configuration file {} is valid ({})\n", program,
                                flags->config_file, options.config_digest));
      return 0;
    }
  } else if (flags->checks_config) {
    return fail(program, "must specify [-c, --config] option to check configuration file syntax");
  }
  const Status later = server::check_later_flags(*flags);
  if (!later) return fail(program, later.error().context);
  server::apply_flags(*flags, options);
  return ServeRun(program, std::move(options)).run();
}

}  // namespace martlet::program
