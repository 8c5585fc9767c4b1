// SPDX-License-Identifier: Apache-2.0
//
// Goal: the digest is the same for the same options and another one for any other. Method: each
// member is changed, and nothing else. That two servers show it: monitoring_varz_test.cpp.
#include "server/options_digest.hpp"

#include <gtest/gtest.h>

#include <set>

namespace martlet::server {
namespace {

void change(bool& value) { value = !value; }
void change(int32_t& value) { value += 1; }
void change(int64_t& value) { value += 1; }
void change(std::string& value) { value += "x"; }
void change(std::vector<std::string>& value) { value.emplace_back("x"); }
void change(std::map<std::string, std::string>& value) { value["x"] = "y"; }

class Collector {
 public:
  explicit Collector(const Options& options) : options_(options) {}

  template <typename... Members>
  void change_each(Members&... members) {
    (change_one(members), ...);
  }
  size_t changes() const { return changes_; }
  size_t digests() const { return digests_.size(); }

 private:
  template <typename Member>
  void change_one(Member& member) {
    const Member before = member;
    change(member);
    changes_ += 1;
    digests_.insert(options_digest(options_));
    member = before;
  }

  const Options& options_;
  size_t changes_ = 0;
  std::set<std::string> digests_;
};

TEST(OptionsDigest, each_option_changes_it) {
  Options options;
  auto& [host, port, listens, server_name, client_advertise, http_host, http_port, http_base_path,
         max_control_line, max_payload, max_pending, max_connections, max_subscriptions,
         max_sub_tokens, max_traced_msg_len, max_closed_clients, ping_interval_ns, ping_max,
         write_deadline_ns, no_fast_producer_stall, no_header_support, no_sublist_cache, auth,
         auth_timeout_ns, debug, trace, trace_verbose, logtime, logtime_utc, log_file,
         logfile_size_limit, logfile_max_num, syslog, remote_syslog, pid_file, ports_file_dir,
         server_tags, server_metadata, loops, spin_us, max_memory, config_file, config_digest] =
      options;
  const std::string unchanged = options_digest(options);
  Collector collector(options);
  collector.change_each(host, port, listens, server_name, client_advertise, http_host, http_port,
                        http_base_path, max_control_line, max_payload, max_pending, max_connections,
                        max_subscriptions, max_sub_tokens, max_traced_msg_len, max_closed_clients,
                        ping_interval_ns, ping_max, write_deadline_ns, no_fast_producer_stall,
                        no_header_support, no_sublist_cache, auth.user, auth_timeout_ns, debug,
                        trace, trace_verbose, logtime, logtime_utc, log_file, logfile_size_limit,
                        logfile_max_num, syslog, remote_syslog, pid_file, ports_file_dir,
                        server_tags, server_metadata, loops, spin_us, max_memory);
  EXPECT_EQ(collector.digests(), collector.changes());
  EXPECT_EQ(options_digest(options), unchanged);

  config_file = "other.conf";
  config_digest = "sha256:01";
  EXPECT_EQ(options_digest(options), unchanged) << "where options come from is none of them";
}

TEST(OptionsDigest, secrets_cannot_be_guessed_by_it) {
  Options options;
  std::set<std::string> digests = {options_digest(options)};
  for (std::string* secret : {&options.auth.password, &options.auth.token}) {
    *secret = "one";
    const std::string digest = options_digest(options);
    digests.insert(digest);
    *secret = "other";
    EXPECT_EQ(options_digest(options), digest);
    secret->clear();
  }
  EXPECT_EQ(digests.size(), 3U) << "that there is one, and which, is told";
}

TEST(OptionsDigest, text_moves_from_one_option_to_the_next) {
  Options one;
  one.http_host = "ab";
  one.http_base_path = "c";
  Options other;
  other.http_host = "a";
  other.http_base_path = "bc";
  EXPECT_NE(options_digest(one), options_digest(other));
}

}  // namespace
}  // namespace martlet::server
