// SPDX-License-Identifier: Apache-2.0
//
// Goal: each key sets what it names, with NATS's rules for zero, types and warnings; nothing
// unknown passes. Method: configuration texts beside the option or the sentence they lead to.
#include "server/config_options.hpp"

#include <gtest/gtest.h>

#include "server/config_language.hpp"
#include "tests/unit/server/map_config_source.hpp"

namespace martlet::server {
namespace {

Result<ConfiguredOptions> configure(std::string_view text) {
  const Result<ConfigTree> tree = parse_config_text(text, "a.conf", MapConfigSource());
  if (!tree) return tree.error();
  return options_from_config(*tree, Options{});
}

Options options_of(std::string_view text) {
  Result<ConfiguredOptions> configured = configure(text);
  EXPECT_TRUE(configured) << text << ": " << (configured ? "" : configured.error().context);
  return configured ? configured->options : Options{};
}

std::string refusal(std::string_view text) {
  const Result<ConfiguredOptions> configured = configure(text);
  return configured ? "accepted" : configured.error().context;
}

TEST(ConfigOptions, listening) {
  EXPECT_EQ(options_of("listen: \"127.0.0.1:5000\"").host, "127.0.0.1");
  EXPECT_EQ(options_of("listen: \"127.0.0.1:5000\"").port, 5000);
  EXPECT_EQ(options_of("listen: \"[::1]:-1\"").host, "::1");
  EXPECT_EQ(options_of("listen: 5001").host, "0.0.0.0");
  EXPECT_EQ(options_of("listen: :5001").host, "0.0.0.0");
  EXPECT_EQ(options_of("port: 0").port, 4222);
  EXPECT_EQ(options_of("port: -1").port, -1);
  EXPECT_EQ(options_of("PORT: 5").port, 5);
  EXPECT_EQ(options_of("net: h, server_name: s, client_advertise: \"x:1\"").host, "h");
  EXPECT_EQ(options_of("http: \"h:8222\"").http_host, "h");
  EXPECT_EQ(options_of("monitor_port: 8222").http_port, 8222);
  EXPECT_EQ(refusal("listen: x"), "a.conf:1:0: could not parse address string \"x\"\n");
  EXPECT_EQ(refusal("listen: \"h:x\""), "a.conf:1:0: could not parse port \"x\"\n");
  EXPECT_EQ(refusal("\nhttp: 1.5"), "a.conf:2:1: expected port or host:port, got float64\n");
  EXPECT_EQ(refusal("port: 70000"), "a.conf:1:0: port 70000 is not between -1 and 65535\n");
  EXPECT_EQ(refusal("server_name: \"a b\""), "a.conf:1:0: server name cannot contain spaces\n");
}

TEST(ConfigOptions, limits) {
  const Options set = options_of(
      "max_control_line: 8k, max_payload: 2MB, max_pending: 1g, max_conn: 5, max_subs: 6, "
      "max_sub_tokens: 7, "
      "max_traced_msg_len: 8, max_closed_clients: 9, ping_max: 3, no_fast_producer_stall: yes, "
      "no_header_support: on, "
      "disable_sublist_cache: true\nping_interval: \"30s\"\nwrite_deadline: \"2s\"");
  EXPECT_EQ(set.max_control_line, 8000);
  EXPECT_EQ(set.max_payload, 2 * 1024 * 1024);
  EXPECT_EQ(set.max_pending, 1'000'000'000);
  EXPECT_EQ(set.max_connections, 5);
  EXPECT_EQ(set.max_subscriptions, 6);
  EXPECT_EQ(set.max_sub_tokens, 7);
  EXPECT_EQ(set.max_traced_msg_len, 8);
  EXPECT_EQ(set.max_closed_clients, 9);
  EXPECT_EQ(set.ping_max, 3);
  EXPECT_EQ(set.ping_interval_ns, 30'000'000'000);
  EXPECT_EQ(set.write_deadline_ns, 2'000'000'000);
  EXPECT_TRUE(set.no_fast_producer_stall && set.no_header_support && set.no_sublist_cache);
}

TEST(ConfigOptions, zero_is_the_default_but_no_connections_when_connections_are_meant) {
  const Options set = options_of(
      "max_control_line: 0, max_payload: 0, max_pending: 0, max_connections: 0, ping_max: 0");
  EXPECT_EQ(set.max_control_line, 4096);
  EXPECT_EQ(set.max_payload, 1024 * 1024);
  EXPECT_EQ(set.max_pending, 64 * 1024 * 1024);
  EXPECT_EQ(set.ping_max, 2);
  EXPECT_EQ(set.max_connections, -1);
}

TEST(ConfigOptions, limits_that_no_server_takes) {
  EXPECT_EQ(refusal("max_payload: 3gb"), "a.conf:1:0: max_payload value is too big\n");
  EXPECT_EQ(refusal("Max_Control_Line: 3gb"), "a.conf:1:0: Max_Control_Line value is too big\n");
  EXPECT_EQ(refusal("max_sub_tokens: 256"), "a.conf:1:0: max_sub_tokens value is too big\n");
  EXPECT_EQ(refusal("max_sub_tokens: 0"), "a.conf:1:0: max_sub_tokens value can not be negative\n");
  EXPECT_EQ(
      refusal("write_deadline: \"5x\""),
      "a.conf:1:0: error parsing write_deadline: time: unknown unit \"x\" in duration \"5x\"\n");
}

TEST(ConfigOptions, seconds_without_a_unit_are_warned_of) {
  const Result<ConfiguredOptions> configured = configure("ping_interval: 5");
  ASSERT_TRUE(configured);
  EXPECT_EQ(configured->options.ping_interval_ns, 5'000'000'000);
  ASSERT_EQ(configured->warnings.size(), 1U);
  EXPECT_EQ(configured->warnings[0],
            "a.conf:1:0: invalid use of field \"ping_interval\": ping_interval should be converted "
            "to a duration");
  EXPECT_EQ(configure("")->warnings[0], "a.conf: config has no values or is empty");
}

TEST(ConfigOptions, logging_and_files) {
  const Options set = options_of(
      "debug: true, trace_verbose: true, logtime: false, logtime_utc: true, log_file: l, "
      "logfile_size_limit: 1k, "
      "log_max_num: 3, syslog: true, remote_syslog: r, pidfile: p, ports_file_dir: d, "
      "http_base_path: b");
  EXPECT_TRUE(set.debug && set.trace && set.trace_verbose && !set.logtime && set.logtime_utc &&
              set.syslog);
  EXPECT_EQ(set.log_file, "l");
  EXPECT_EQ(set.logfile_size_limit, 1000);
  EXPECT_EQ(set.logfile_max_num, 3);
  EXPECT_EQ(set.remote_syslog, "r");
  EXPECT_EQ(set.pid_file, "p");
  EXPECT_EQ(set.ports_file_dir, "d");
  EXPECT_EQ(set.http_base_path, "b");
}

TEST(ConfigOptions, tags_and_metadata) {
  const Options set = options_of("server_tags: [ \"A:1\", b , b ]\nserver_metadata { k: v }");
  EXPECT_EQ(set.server_tags, (std::vector<std::string>{"a:1", "b"}));
  EXPECT_EQ(set.server_metadata.at("k"), "v");
  EXPECT_EQ(refusal("server_tags: 1"), "a.conf:1:0: error parsing tags: unsupported type int64\n");
  EXPECT_EQ(refusal("server_metadata: 1"),
            "a.conf:1:0: error parsing metadata: unsupported type int64\n");
}

TEST(ConfigOptions, authorization) {
  const Options set = options_of("authorization { username: u, pass: $2a$11$abc, timeout: 1.5 }");
  EXPECT_EQ(set.auth.user, "u");
  EXPECT_EQ(set.auth.password, "$2a$11$abc");
  EXPECT_EQ(set.auth_timeout_ns, 1'500'000'000);
  EXPECT_EQ(options_of("authorization { token: t, timeout: \"3s\" }").auth.token, "t");
  EXPECT_EQ(options_of("authorization { token: t, timeout: -1 }").auth_timeout_ns, -1'000'000'000);
  EXPECT_EQ(options_of("authorization { token: t, timeout: 0 }").auth_timeout_ns, 2'000'000'000);
  EXPECT_EQ(options_of("authorization { token: t, timeout: \"3s\" }").auth_timeout_ns,
            3'000'000'000);
  EXPECT_EQ(refusal("authorization {user: a, token: b}"),
            "a.conf:1:0: Cannot have a user/pass and token\n");
  EXPECT_EQ(refusal("authorization { user: 1 }"),
            "a.conf:1:16: interface conversion: interface {} is int64, not string\n");
  EXPECT_EQ(refusal("authorization { users: [] }"),
            "a.conf:1:16: \"users\" comes later: this version has no list of users\n");
  EXPECT_EQ(configure("authorization { token: t, timeout: 120 }")->warnings.size(), 1U);
}

TEST(ConfigOptions, our_own_block) {
  const Options set = options_of("martlet { loops: 3, max_memory: 1gb }");
  EXPECT_EQ(set.loops, 3);
  EXPECT_EQ(set.max_memory, 1024 * 1024 * 1024);
  EXPECT_EQ(refusal("loops: 3"), "a.conf:1:0: unknown field \"loops\"\n");
  EXPECT_EQ(refusal("martlet { loops: -1 }"), "a.conf:1:10: loops -1 is not between 0 and 1024\n");
}

TEST(ConfigOptions, unknown_wrong_and_later_keys) {
  EXPECT_EQ(refusal("foo: 1\nbar: 2"),
            "a.conf:2:1: unknown field \"bar\"\na.conf:1:0: unknown field \"foo\"\n");
  EXPECT_EQ(refusal("port: abc"),
            "a.conf:1:0: interface conversion: interface {} is string, not int64\n");
  EXPECT_EQ(refusal("debug: 1"),
            "a.conf:1:0: interface conversion: interface {} is int64, not bool\n");
  EXPECT_EQ(refusal("jetstream { store_dir: x }"),
            "a.conf:1:0: \"jetstream\" comes later: this version has no JetStream\n");
  EXPECT_EQ(refusal("jetstream: true"),
            "a.conf:1:0: \"jetstream\" comes later: this version has no JetStream\n");
  EXPECT_EQ(refusal("jetstream: false, proxy_protocol: off, port: 1"), "accepted");
  EXPECT_EQ(options_of("X: 7000\nport: $X").port, 7000);
}

TEST(ConfigOptions, lame_duck_times_are_checked_and_wait) {
  EXPECT_EQ(refusal("lame_duck_duration: \"1m\", lame_duck_grace_period: \"5s\""), "accepted");
  EXPECT_EQ(refusal("lame_duck_duration: \"1s\""),
            "a.conf:1:0: invalid lame_duck_duration of 1s, minimum is 30 seconds\n");
  EXPECT_EQ(refusal("lame_duck_duration: 40"),
            "a.conf:1:0: interface conversion: interface {} is int64, not string\n");
  EXPECT_EQ(refusal("connect_error_reports: 5, reconnect_error_reports: 1"), "accepted");
  EXPECT_EQ(refusal("write_timeout: close"), "accepted");
  EXPECT_EQ(refusal("write_timeout: x"),
            "a.conf:1:0: write_timeout must be 'default', 'close' or 'retry'\n");
}

TEST(ConfigOptions, file_and_digest_are_kept) {
  const Options set = options_of("max_pending: 10");
  EXPECT_EQ(set.config_file, "a.conf");
  EXPECT_EQ(set.config_digest,
            "sha256:da863c09326d9c9a1fd8334591b5d69d524472c124d95b5032a1473b14a6988f");
}

TEST(ConfigOptions, limits_that_contradict_each_other) {
  Options options;
  EXPECT_TRUE(check_options(options));
  options.max_payload = options.max_pending + 1;
  EXPECT_EQ(check_options(options).error().context,
            "max_payload (67108865) cannot be higher than max_pending (67108864)");
  options = {};
  options.port = 65536;
  EXPECT_FALSE(check_options(options));
  options = {};
  options.max_control_line = -1;
  EXPECT_FALSE(check_options(options));
  options = {};
  options.auth = {"u", "", "t"};
  EXPECT_EQ(check_options(options).error().context, "Cannot have a user/pass and token");
}

TEST(ConfigOptions, advice) {
  Options options;
  EXPECT_TRUE(options_advice(options).empty());
  options.max_payload = 9 * 1024 * 1024;
  options.auth.password = "plain";
  EXPECT_EQ(options_advice(options).size(), 2U);
}

}  // namespace
}  // namespace martlet::server
