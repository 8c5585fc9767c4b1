// SPDX-License-Identifier: Apache-2.0
//
// Owns the options of a server: plain values with the defaults of nats-server 2.15.2, filled from a
// configuration file, flags or JSON before a server is made, and never changed in place afterwards.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "auth/authenticator.hpp"

namespace martlet::server {

struct Options {
  // Listening. Ports: -1 any free port; 0 in a file or a flag is 4222 (the parsers put it in), in
  // the API any free port.
  std::string host = "0.0.0.0";
  int32_t port = 4222;
  bool listens = true;           // False: in-process clients only.
  std::string server_name;       // Empty: the server's id.
  std::string client_advertise;  // "host:port" that INFO names instead of our own address.

  // Monitoring over HTTP. Port 0: none; -1 any free port.
  std::string http_host;  // Empty: as `host`.
  int32_t http_port = 0;
  std::string http_base_path;

  // Limits.
  int64_t max_control_line = 4096;         // Bytes.
  int64_t max_payload = 1024 * 1024;       // Bytes.
  int64_t max_pending = 64 * 1024 * 1024;  // Bytes per connection.
  int64_t max_connections = 64 * 1024;     // -1: none allowed.
  int64_t max_subscriptions = 0;           // Per connection; 0: no limit.
  int64_t max_sub_tokens = 0;              // 0: no limit.
  int64_t max_traced_msg_len = 0;          // Bytes; 0: no limit.
  int64_t max_closed_clients = 10000;
  int64_t ping_interval_ns = 120'000'000'000;
  int64_t ping_max = 2;
  int64_t write_deadline_ns = 10'000'000'000;
  bool no_fast_producer_stall = false;
  bool no_header_support = false;
  bool no_sublist_cache = false;

  // Authorization: one user or one token now.
  auth::AuthOptions auth;
  int64_t auth_timeout_ns = 2'000'000'000;

  // Logging; used by the program, an embedded server has a sink.
  bool debug = false;
  bool trace = false;
  bool trace_verbose = false;
  bool logtime = true;
  bool logtime_utc = false;
  std::string log_file;
  int64_t logfile_size_limit = 0;  // Bytes; 0: no limit.
  int64_t logfile_max_num = 0;     // 0: no limit.
  bool syslog = false;
  std::string remote_syslog;

  // Files of the program.
  std::string pid_file;
  std::string ports_file_dir;

  std::vector<std::string> server_tags;
  std::map<std::string, std::string> server_metadata;

  // Martlet's own.
  int32_t loops = 0;       // Event loops; 0: one.
  int64_t spin_us = 0;     // How long a loop looks without sleeping before it sleeps.
  int64_t max_memory = 0;  // Bytes that clients can make the server hold; 0: no ceiling.

  std::string config_file;    // Where it came from, for /varz.
  std::string config_digest;  // "sha256:…".
};

using OptionsSnapshot = std::shared_ptr<const Options>;  // Each reader holds one whole.

}  // namespace martlet::server
