// SPDX-License-Identifier: Apache-2.0
//
// Owns the keys of /varz in the order of nats-server. What does not exist yet is absent or an empty
// object, as it is there on a server that has not been given it. `martlet_version` and `martlet`
// are ours and stand last.
#include "server/monitoring_varz.hpp"

#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "io/process_usage.hpp"
#include "server/go_time.hpp"
#include "server/server_core.hpp"
#include "server/statistics_writer.hpp"

namespace martlet::server {
namespace {

void write_settings(JsonWriter& json, const MonitoringSubject& subject, const Run& run) {
  const Options& options = subject.options;
  json.text("server_id", subject.id);
  json.text("server_name", subject.name);
  json.text("version", protocol::nats_level);
  json.number("proto", 1);
  json.text("go", "");
  json.text("host", run.info->host);
  json.number("port", run.info->port);
  if (run.authenticator->is_required()) json.flag("auth_required", true);
  json.number("max_connections", options.max_connections);
  if (options.max_subscriptions != 0) json.number("max_subscriptions", options.max_subscriptions);
  json.number("ping_interval", options.ping_interval_ns);
  json.number("ping_max", options.ping_max);
  json.text("http_host", options.http_host.empty() ? options.host : options.http_host);
  json.number("http_port", options.http_port);
  json.text("http_base_path", options.http_base_path);
  json.number("https_port", 0);
  json.real("auth_timeout",
            static_cast<double>(options.auth_timeout_ns) / static_cast<double>(ns_per_s));
  json.number("max_control_line", options.max_control_line);
  json.number("max_payload", options.max_payload);
  json.number("max_pending", options.max_pending);
  for (const char* name : {"cluster", "gateway", "leaf", "mqtt", "websocket", "jetstream"}) {
    json.open_object(name);
    json.close_object();
  }
  json.number("tls_timeout", 2);
  json.number("write_deadline", options.write_deadline_ns);
}

void write_by_kind(JsonWriter& json, const char* name, uint64_t clients) {
  json.open_object(name);
  json.number("clients", clients);
  for (const char* kind : {"routes", "gateways", "leafs"}) json.number(kind, 0);
  json.close_object();
}

void write_labels(JsonWriter& json, const Options& options) {
  if (!options.server_tags.empty()) json.texts("tags", options.server_tags);
  if (!options.server_metadata.empty()) {
    json.open_object("metadata");
    for (const auto& [key, value] : options.server_metadata) json.text(key, value);
    json.close_object();
  }
}

void write_own(JsonWriter& json, const MonitoringSubject& subject, const Run& run,
               const Statistics& sum) {
  json.text("martlet_version", MARTLET_VERSION);
  json.open_object("martlet");
  json.number("loops", run.workers.size());
  json.text("options_digest", subject.options_digest);
  write_own_counts(json, sum, subject.options.max_memory);
  json.close_object();
}

}  // namespace

std::string varz_json(const MonitoringSubject& subject, const Run& run, const Statistics& sum,
                      double cpu_percent, const std::map<std::string, uint64_t>& request_counts) {
  JsonWriter json(JsonWriter::Style::indented);
  json.open_object();
  write_settings(json, subject, run);
  json.text("start", format_wall_time(run.start_wall_ns));
  json.text("now", format_wall_time(subject.clock.wall_ns()));
  json.text("uptime", format_uptime(sum.uptime_ns));
  json.number("mem", io::process_usage().resident_bytes);
  json.number("cores", io::processor_count());
  json.number("gomaxprocs", run.workers.size());
  json.real("cpu", cpu_percent);
  write_counts(json, sum, CountsFor::page);
  json.open_object("http_req_stats");
  for (const auto& [path, count] : request_counts) json.number(path, count);
  json.close_object();
  json.text("config_load_time", format_wall_time(run.start_wall_ns));
  json.text("config_digest", subject.options.config_digest);
  write_labels(json, subject.options);
  write_by_kind(json, "slow_consumer_stats", sum.moved.slow_consumers);
  write_by_kind(json, "stale_connection_stats", sum.moved.stale_connections);
  json.open_object("disk_io_wait_stats");
  for (const char* name : {"waiters", "waits", "wait_time", "max_wait_time"}) json.number(name, 0);
  json.close_object();
  write_own(json, subject, run, sum);
  json.close_object();
  return json.take();
}

}  // namespace martlet::server
