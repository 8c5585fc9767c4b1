// SPDX-License-Identifier: Apache-2.0
//
// Owns the options of a client connection: their names, defaults and bounds, and their text form
// (one JSON object, or bare URLs). A wrong key or value is named.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "client/completion_queue.hpp"
#include "client/server_url.hpp"

namespace martlet::client {

/// Who makes a connection move.
enum class RunMode : uint8_t {
  own_thread,        // A thread of ours, which steps aside while somebody waits.
  driven_by_caller,  // No thread: whoever waits (poll, request, flush …) reads the socket.
  lent_loop,         // No thread: the program waits on descriptor() and calls process().
};

struct ConnectionOptions {
  std::vector<ServerUrl>
      servers;  // Empty: nats://127.0.0.1:4222. Unused for a connection inside the process.
  RunMode run = RunMode::own_thread;

  std::string name;
  std::string user;  // Beats what a URL says.
  std::string password;
  std::string token;
  bool verbose = false;
  bool pedantic = false;
  bool echo = true;

  int64_t connect_timeout_ms = 2000;    // Of one attempt, until the server has accepted us.
  bool retry_on_first_connect = false;  // The first connect goes on as a reconnect would.
  bool reconnect = true;
  int64_t reconnect_wait_ms = 2000;     // Before each further round through the pool.
  int64_t reconnect_jitter_ms = 100;    // At most this much is added to the wait.
  int64_t reconnect_attempts_max = 60;  // For each server, in a row; below 0: no limit.
  int64_t reconnect_buffer_bytes_max =
      8 * 1024 * 1024;  // Published while disconnected; 0: nothing is taken.
  bool randomize_servers = true;
  bool ignore_discovered_servers = false;

  int64_t ping_interval_ms = 120000;  // 0: no pings.
  int64_t pings_out_max = 2;
  int64_t drain_timeout_ms = 30000;
  int64_t pending_bytes_max = 16 * 1024 * 1024;  // Published and not written yet.
  int64_t requests_max = 65536;                  // Under way at once.
  std::string inbox_prefix = "_INBOX";
  /// Driven by its caller: false: a publish that finds the buffer empty is written at once, because
  /// nobody may come later; true: it waits for 64 KiB, a flush, a request or a poll; the program
  /// promises that one of these follows. A lent loop: true: publishes beyond the first few of a
  /// millisecond do not make the descriptor readable; the program promises to process() within
  /// next_timeout_ns(), asked after them.
  bool gather = false;
  int64_t spin_us = 0;  // How long a waiting call looks without sleeping.
};

/// A JSON object beginning with a brace (keys as above; the servers as "servers": a text or a
/// list), else URLs joined by commas; empty text: the defaults. Fails with invalid_options, naming
/// the key.
Result<ConnectionOptions> parse_connection_options(std::string_view json_or_url);

/// The bounds of a subscription, from a JSON object with messages_max, bytes_max, full_policy
/// ("block_reader", "refuse_new", "drop_oldest", "keep_latest_of_each_subject"); empty text: the
/// defaults.
Result<FeedOptions> parse_feed_options(std::string_view json_text);
/// The options of a queue: as a subscription's, and spin_us.
Result<QueueOptions> parse_queue_options(std::string_view json_text);

}  // namespace martlet::client
