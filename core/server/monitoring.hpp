// SPDX-License-Identifier: Apache-2.0
//
// Owns the monitoring pages of one run of a server: /healthz, /varz, /connz, /subsz and the page
// that links to them, with the keys and the look that tools for NATS expect. Made on the asking
// thread, never on a loop. Secrets never appear.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "server/server.hpp"

namespace martlet::server {

struct Run;

struct MonitoringPage {
  enum class Kind : uint8_t { json, html, text };
  int status = 200;
  Kind kind = Kind::json;
  std::string body;
};

/// Who the server is, for the pages. Borrowed from the server, which outlives this.
struct MonitoringSubject {
  const Options& options;
  const std::string& options_digest;
  const std::string& id;
  const std::string& name;
  const Clock& clock;
  const std::vector<std::unique_ptr<broker::Account>>& accounts;
};

/// Lives as long as its run. Any thread.
class Monitoring {
 public:
  Monitoring(const MonitoringSubject& subject, Run& run);

  /// `path` decoded, `query` as it came.
  MonitoringPage page(std::string_view path, std::string_view query);
  /// The sums of all loops. When they do not answer `outcome` says so (as survey_loops does), and
  /// what only they know is 0.
  Statistics statistics(Status& outcome);

 private:
  MonitoringPage healthz(std::string_view query);
  MonitoringPage varz();
  MonitoringPage root() const;
  void count_request(const char* path);
  std::map<std::string, uint64_t> request_counts() const;
  double cpu_percent();

  const MonitoringSubject subject_;
  Run& run_;
  std::string base_path_;  // "" or "/base".
  mutable std::mutex mutex_;
  std::map<std::string, uint64_t> requests_;  // GUARDED_BY mutex_. By page, as /varz shows them.
  int64_t cpu_sampled_ns_ =
      0;  // GUARDED_BY mutex_. When, what had been used until then, and the result.
  int64_t cpu_used_ns_ = 0;  // GUARDED_BY mutex_
  double cpu_percent_ = 0;   // GUARDED_BY mutex_
};

/// A page of status 400 with `text`.
MonitoringPage refused_page(const std::string& text);
/// A page for a survey that failed.
MonitoringPage unavailable_page(const Error& error);

}  // namespace martlet::server
