// SPDX-License-Identifier: Apache-2.0
//
// Owns which page answers which path, and the pages that are about the server as a whole.
#include "server/monitoring.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/process_usage.hpp"
#include "server/loop_survey.hpp"
#include "server/monitoring_connz.hpp"
#include "server/monitoring_query.hpp"
#include "server/monitoring_subsz.hpp"
#include "server/monitoring_varz.hpp"
#include "server/server_core.hpp"

namespace martlet::server {
namespace {

constexpr int64_t cpu_sample_ns_min = 1'000'000'000;

// "nats/", "/nats" and "nats" are all "/nats".
std::string normal_base_path(std::string_view path) {
  while (!path.empty() && path.front() == '/') path.remove_prefix(1);
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  return path.empty() ? std::string() : "/" + std::string(path);
}

MonitoringPage not_found() { return {404, MonitoringPage::Kind::text, "404 page not found\n"}; }

}  // namespace

MonitoringPage refused_page(const std::string& text) {
  return {400, MonitoringPage::Kind::text, text};
}

MonitoringPage unavailable_page(const Error& error) {
  return {503, MonitoringPage::Kind::text, error.context + "\n"};
}

Monitoring::Monitoring(const MonitoringSubject& subject, Run& run)
    : subject_(subject),
      run_(run),
      base_path_(normal_base_path(subject.options.http_base_path)),
      cpu_sampled_ns_(subject.clock.monotonic_ns()),
      cpu_used_ns_(io::process_usage().cpu_ns) {}

MonitoringPage Monitoring::page(std::string_view path, std::string_view query) {
  if (path.substr(0, base_path_.size()) != base_path_) return not_found();
  path.remove_prefix(base_path_.size());
  if (path == "/healthz") {
    count_request("/healthz");
    return healthz(query);
  }
  if (path == "/varz") {
    count_request("/varz");
    return varz();
  }
  if (path == "/connz") {
    Result<ConnzQuery> connz = read_connz_query(MonitoringQuery(query));
    if (!connz) return refused_page(connz.error().context);
    count_request("/connz");
    return connz_page(subject_, run_, *connz);
  }
  if (path == "/subsz" || path == "/subscriptionsz") {
    count_request("/subsz");
    Result<SubszQuery> subsz = read_subsz_query(MonitoringQuery(query));
    return subsz ? subsz_page(subject_, run_, *subsz) : refused_page(subsz.error().context);
  }
  // With a base path the root is that path itself.
  if (path == (base_path_.empty() ? "/" : "")) {
    count_request("/");
    return root();
  }
  return not_found();
}

void Monitoring::count_request(const char* path) {
  std::lock_guard<std::mutex> lock(mutex_);
  requests_[path] += 1;
}

std::map<std::string, uint64_t> Monitoring::request_counts() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return requests_;
}

// Of one processor, over the time since the last look; looks that follow closely see the same.
double Monitoring::cpu_percent() {
  const int64_t now_ns = subject_.clock.monotonic_ns();
  const int64_t used_ns = io::process_usage().cpu_ns;
  std::lock_guard<std::mutex> lock(mutex_);
  const int64_t elapsed_ns = now_ns - cpu_sampled_ns_;
  if (elapsed_ns < cpu_sample_ns_min) return cpu_percent_;
  const int64_t tenths = (used_ns - cpu_used_ns_) * 1000 / elapsed_ns;
  cpu_percent_ = static_cast<double>(tenths) / 10;
  cpu_sampled_ns_ = now_ns;
  cpu_used_ns_ = used_ns;
  return cpu_percent_;
}

MonitoringPage Monitoring::healthz(std::string_view query_text) {
  const MonitoringQuery query(query_text);
  for (const char* name :
       {"js-enabled", "js-enabled-only", "js-server-only", "js-meta-only", "details"}) {
    Result<bool> flag = query.flag(name);
    if (!flag) return refused_page(flag.error().context);
  }
  JsonWriter json(JsonWriter::Style::compact);
  json.open_object();
  const bool names_stream = !query.text("stream").empty();
  if (names_stream && query.text("account").empty()) {
    json.text("status", "error");
    json.text("error", "\"account\" must not be empty when checking stream health");
    json.close_object();
    return {400, MonitoringPage::Kind::json, json.take()};
  }
  json.text("status", "ok");
  json.close_object();
  return {200, MonitoringPage::Kind::json, json.take()};
}

MonitoringPage Monitoring::varz() {
  Status outcome;
  const Statistics sum = statistics(outcome);
  if (!outcome) return unavailable_page(outcome.error());
  return {200, MonitoringPage::Kind::json,
          varz_json(subject_, run_, sum, cpu_percent(), request_counts())};
}

MonitoringPage Monitoring::root() const {
  std::string body =
      "<!DOCTYPE html>\n<html "
      "lang=\"en\">\n<head><title>Martlet</title></head>\n<body>\n<h1>Martlet</h1>\n";
  body += fmt::format("<p>Version {}, serves the level of NATS {}.</p>\n<ul>\n", MARTLET_VERSION,
                      protocol::nats_level);
  for (const auto& [path, title] : {std::pair<const char*, const char*>{"/varz", "General"},
                                    {"/connz", "Connections"},
                                    {"/subsz", "Subscriptions"},
                                    {"/healthz", "Health"}}) {
    body += fmt::format("<li><a href=\"{}{}\">{}</a></li>\n", base_path_, path, title);
  }
  body += "</ul>\n</body>\n</html>\n";
  return {200, MonitoringPage::Kind::html, body};
}

Statistics Monitoring::statistics(Status& outcome) {
  std::vector<std::shared_ptr<broker::ShardStatistics>>
      sums;  // Shared with the loops: see survey_loops.
  std::vector<SurveyPart> parts;
  for (size_t i = 0; i < run_.workers.size(); i++) {
    auto sum = std::make_shared<broker::ShardStatistics>();
    const auto add = [sum](const net::Connection& connection) {
      const broker::SessionStatistics& session = connection.session().statistics();
      sum->in_msgs += session.in_msgs;
      sum->in_bytes += session.in_bytes;
      sum->out_msgs += session.out_msgs;
      sum->out_bytes += session.out_bytes;
    };
    SurveyPart part;
    part.begin = [sum](net::Worker& worker) { worker.add_statistics(*sum); };
    part.visit = [add](net::Connection& connection, size_t&) {
      add(connection);
      return true;
    };
    part.on_connection_end = add;
    sums.push_back(std::move(sum));
    parts.push_back(std::move(part));
  }
  outcome = survey_loops(run_, subject_.clock, std::move(parts));
  Statistics total;
  if (outcome) {
    for (const auto& sum : sums) total.moved += *sum;
  }
  total.connections =
      static_cast<uint64_t>(std::max<int64_t>(run_.connections.load(std::memory_order_relaxed), 0));
  total.total_connections = run_.total_connections.load(std::memory_order_relaxed);
  for (const auto& account : subject_.accounts) total.subscriptions += account->routing().count();
  total.accounted_bytes = run_.budget.bytes();
  total.start_wall_ns = run_.start_wall_ns;
  total.uptime_ns = subject_.clock.monotonic_ns() - run_.start_monotonic_ns;
  return total;
}

}  // namespace martlet::server
