// SPDX-License-Identifier: Apache-2.0
//
// Owns the text that is digested. The members are taken apart in their order, so that a new one
// which nobody thought of here does not compile.
#include "server/options_digest.hpp"

#include <type_traits>

#include "base/json_writer.hpp"
#include "server/sha256_digest.hpp"

namespace martlet::server {
namespace {

class MemberWriter {
 public:
  explicit MemberWriter(JsonWriter& json) : json_(json) {}

  template <typename... Members>
  void write_all(const Members&... members) {
    json_.open_array();
    (write(members), ...);
    json_.close_array();
  }

 private:
  void write(bool value) { json_.flag(value); }
  void write(const std::string& value) { json_.text(value); }
  template <typename Integer, typename = std::enable_if_t<std::is_integral_v<Integer>>>
  void write(Integer value) {
    json_.number(value);
  }
  void write(const auth::AuthOptions& auth) {
    // What is published must not let anybody try secrets against it: only which there are.
    const auto& [user, password, token] = auth;
    write_all(user, !password.empty(), !token.empty());
  }
  void write(const std::vector<std::string>& values) {
    json_.open_array();
    for (const std::string& value : values) json_.text(value);
    json_.close_array();
  }
  void write(const std::map<std::string, std::string>& values) {
    json_.open_object();
    for (const auto& [key, value] : values) json_.text(key, value);
    json_.close_object();
  }

  JsonWriter& json_;
};

}  // namespace

std::string options_digest(const Options& options) {
  const auto& [host, port, listens, server_name, client_advertise, http_host, http_port,
               http_base_path, max_control_line, max_payload, max_pending, max_connections,
               max_subscriptions, max_sub_tokens, max_traced_msg_len, max_closed_clients,
               ping_interval_ns, ping_max, write_deadline_ns, no_fast_producer_stall,
               no_header_support, no_sublist_cache, auth, auth_timeout_ns, debug, trace,
               trace_verbose, logtime, logtime_utc, log_file, logfile_size_limit, logfile_max_num,
               syslog, remote_syslog, pid_file, ports_file_dir, server_tags, server_metadata, loops,
               spin_us, max_memory, config_file, config_digest] = options;
  JsonWriter json(JsonWriter::Style::compact);
  // Not config_file and config_digest: the same options may come from elsewhere.
  MemberWriter(json).write_all(
      host, port, listens, server_name, client_advertise, http_host, http_port, http_base_path,
      max_control_line, max_payload, max_pending, max_connections, max_subscriptions,
      max_sub_tokens, max_traced_msg_len, max_closed_clients, ping_interval_ns, ping_max,
      write_deadline_ns, no_fast_producer_stall, no_header_support, no_sublist_cache, auth,
      auth_timeout_ns, debug, trace, trace_verbose, logtime, logtime_utc, log_file,
      logfile_size_limit, logfile_max_num, syslog, remote_syslog, pid_file, ports_file_dir,
      server_tags, server_metadata, loops, spin_us, max_memory);
  (void)config_file;
  (void)config_digest;
  return sha256_digest(json.take());
}

}  // namespace martlet::server
