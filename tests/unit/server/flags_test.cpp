// SPDX-License-Identifier: Apache-2.0
//
// Goal: flags are read by Go's rules. Method: every flag in the four forms `-x v`, `-x=v`, `--x v`,
// `--x=v`, then the rules one by one.
#include "server/flags.hpp"

#include <gtest/gtest.h>

namespace martlet::server {
namespace {

using Words = std::vector<std::string>;

Options applied(const Words& arguments, Options options = {}) {
  const Result<ParsedFlags> flags = parse_flags(arguments);
  EXPECT_TRUE(flags) << (flags ? "" : flags.error().context);
  if (flags) apply_flags(*flags, options);
  return options;
}

std::string refusal(const Words& arguments) {
  const Result<ParsedFlags> flags = parse_flags(arguments);
  if (!flags) return flags.error().context;
  const Status status = check_later_flags(*flags);
  return status ? "accepted" : status.error().context;
}

// The four forms of one flag and value; a switch knows only those with `=` and those without any
// value.
std::vector<Words> four_forms(const std::string& name, const std::string& value) {
  if (is_switch(name))
    return {{"-" + name + "=" + value}, {"--" + name + "=" + value}, {"-" + name}, {"--" + name}};
  return {{"-" + name, value},
          {"-" + name + "=" + value},
          {"--" + name, value},
          {"--" + name + "=" + value}};
}

struct Case {
  const char* name;
  const char* value;
  bool (*has_effect)(const Options& options);
};

const Case acting_flags[] = {
    {"a", "h", [](const Options& o) { return o.host == "h"; }},
    {"addr", "h", [](const Options& o) { return o.host == "h"; }},
    {"net", "h", [](const Options& o) { return o.host == "h"; }},
    {"p", "7", [](const Options& o) { return o.port == 7; }},
    {"port", "-1", [](const Options& o) { return o.port == -1; }},
    {"n", "s", [](const Options& o) { return o.server_name == "s"; }},
    {"name", "s", [](const Options& o) { return o.server_name == "s"; }},
    {"server_name", "s", [](const Options& o) { return o.server_name == "s"; }},
    {"client_advertise", "x:1", [](const Options& o) { return o.client_advertise == "x:1"; }},
    {"P", "f", [](const Options& o) { return o.pid_file == "f"; }},
    {"pid", "f", [](const Options& o) { return o.pid_file == "f"; }},
    {"ports_file_dir", "d", [](const Options& o) { return o.ports_file_dir == "d"; }},
    {"m", "8", [](const Options& o) { return o.http_port == 8; }},
    {"http_port", "8", [](const Options& o) { return o.http_port == 8; }},
    {"l", "f", [](const Options& o) { return o.log_file == "f"; }},
    {"log", "f", [](const Options& o) { return o.log_file == "f"; }},
    {"log_size_limit", "99", [](const Options& o) { return o.logfile_size_limit == 99; }},
    {"T", "true", [](const Options& o) { return o.logtime; }},
    {"logtime", "true", [](const Options& o) { return o.logtime; }},
    {"logtime_utc", "true", [](const Options& o) { return o.logtime_utc; }},
    {"s", "true", [](const Options& o) { return o.syslog; }},
    {"syslog", "true", [](const Options& o) { return o.syslog; }},
    {"r", "udp://h:1", [](const Options& o) { return o.remote_syslog == "udp://h:1"; }},
    {"remote_syslog", "udp://h:1", [](const Options& o) { return o.remote_syslog == "udp://h:1"; }},
    {"D", "true", [](const Options& o) { return o.debug && !o.trace; }},
    {"debug", "true", [](const Options& o) { return o.debug && !o.trace; }},
    {"V", "true", [](const Options& o) { return o.trace && !o.debug; }},
    {"trace", "true", [](const Options& o) { return o.trace && !o.debug; }},
    {"DV", "true", [](const Options& o) { return o.debug && o.trace && !o.trace_verbose; }},
    {"DVV", "true", [](const Options& o) { return o.debug && o.trace && o.trace_verbose; }},
    {"VV", "true", [](const Options& o) { return !o.debug && o.trace && o.trace_verbose; }},
    {"max_traced_msg_len", "5", [](const Options& o) { return o.max_traced_msg_len == 5; }},
    {"user", "u", [](const Options& o) { return o.auth.user == "u"; }},
    {"pass", "w", [](const Options& o) { return o.auth.password == "w"; }},
    {"auth", "t", [](const Options& o) { return o.auth.token == "t"; }},
};

TEST(Flags, each_one_that_acts_in_its_four_forms) {
  for (const Case& flag : acting_flags) {
    for (const Words& form : four_forms(flag.name, flag.value)) {
      EXPECT_TRUE(flag.has_effect(applied(form))) << form[0];
    }
  }
}

TEST(Flags, each_one_that_steers_the_program_in_its_four_forms) {
  for (const char* name : {"c", "config"}) {
    for (const Words& form : four_forms(name, "f.conf"))
      EXPECT_EQ(parse_flags(form)->config_file, "f.conf") << form[0];
  }
  for (const char* name : {"sl", "signal"}) {
    for (const Words& form : four_forms(name, "stop=12"))
      EXPECT_EQ(parse_flags(form)->signal, "stop=12") << form[0];
  }
  for (const Words& form : four_forms("t", "true")) EXPECT_TRUE(parse_flags(form)->checks_config);
  for (const Words& form : four_forms("help_tls", "true"))
    EXPECT_TRUE(parse_flags(form)->shows_tls_help);
  for (const char* name : {"h", "help"}) {
    for (const Words& form : four_forms(name, "true"))
      EXPECT_TRUE(parse_flags(form)->shows_help) << form[0];
  }
  for (const char* name : {"v", "version"}) {
    for (const Words& form : four_forms(name, "true"))
      EXPECT_TRUE(parse_flags(form)->shows_version) << form[0];
  }
}

TEST(Flags, each_one_that_comes_later_in_its_four_forms) {
  const std::pair<const char*, const char*> later[] = {{"ms", "1"},
                                                       {"https_port", "1"},
                                                       {"tls", "true"},
                                                       {"tlsverify", "true"},
                                                       {"tlscert", "f"},
                                                       {"tlskey", "f"},
                                                       {"tlscacert", "f"},
                                                       {"js", "true"},
                                                       {"jetstream", "true"},
                                                       {"sd", "d"},
                                                       {"store_dir", "d"},
                                                       {"routes", "r"},
                                                       {"cluster", "u"},
                                                       {"cluster_listen", "u"},
                                                       {"cluster_name", "n"},
                                                       {"cluster_advertise", "u"},
                                                       {"no_advertise", "true"},
                                                       {"connect_retries", "1"},
                                                       {"profile", "1"}};
  for (const auto& [name, value] : later) {
    for (const Words& form : four_forms(name, value)) {
      const std::string sentence = refusal(form);
      EXPECT_TRUE(sentence.starts_with("flag -" + std::string(name) + " comes later: "))
          << form[0] << ": " << sentence;
    }
  }
  EXPECT_EQ(refusal({"-js"}), "flag -js comes later: this version has no JetStream");
  EXPECT_EQ(refusal({"-js=false", "--tls=0"}), "accepted");
}

TEST(Flags, the_tables_above_name_every_flag) {
  std::vector<std::string_view> names = flag_names();
  EXPECT_EQ(names.size(), std::size(acting_flags) + 10U + 19U);
}

TEST(Flags, switches_take_a_value_only_behind_equals) {
  const Result<ParsedFlags> flags = parse_flags({"-D", "false"});
  EXPECT_EQ(flags.error().context, "unrecognized command: \"false\"");
  for (const char* word : {"0", "f", "F", "false", "FALSE", "False"}) {
    EXPECT_FALSE(applied({std::string("-T=") + word}).logtime) << word;
  }
  EXPECT_EQ(refusal({"-D=zz"}), "invalid boolean value \"zz\" for -D: parse error");
  EXPECT_EQ(refusal({"-D="}), "invalid boolean value \"\" for -D: parse error");
}

TEST(Flags, integers_as_go_reads_them) {
  EXPECT_EQ(applied({"-p", "0x10"}).port, 16);
  EXPECT_EQ(applied({"-p", "0b11"}).port, 3);
  EXPECT_EQ(applied({"-p", "0o17"}).port, 15);
  EXPECT_EQ(applied({"-p", "017"}).port, 15);
  EXPECT_EQ(applied({"-p", "+5"}).port, 5);
  EXPECT_EQ(applied({"-p", "0x1_0"}).port, 16);
  EXPECT_EQ(applied({"-p", "0"}).port, 4222);
  EXPECT_EQ(applied({"-m", "0"}).http_port, 0);
  for (const char* text : {"abc", "", "1_0", "0x", "5k", "1.5", "_1", "0x_", "--1"}) {
    EXPECT_TRUE(refusal({std::string("-p=") + text}).ends_with(": parse error")) << text;
  }
  EXPECT_EQ(refusal({"-p", "9223372036854775808"}),
            "invalid value \"9223372036854775808\" for flag -p: value out of range");
  EXPECT_EQ(applied({"-log_size_limit", "-9223372036854775808"}).logfile_size_limit, INT64_MIN);
}

TEST(Flags, what_is_no_flag) {
  EXPECT_EQ(refusal({"-zz"}), "flag provided but not defined: -zz");
  EXPECT_EQ(refusal({"--zz=1"}), "flag provided but not defined: -zz");
  EXPECT_EQ(refusal({"-p"}), "flag needs an argument: -p");
  EXPECT_EQ(refusal({"---p"}), "bad flag syntax: ---p");
  EXPECT_EQ(refusal({"-=p"}), "bad flag syntax: -=p");
  EXPECT_EQ(refusal({"foo"}), "unrecognized command: \"foo\"");
  EXPECT_EQ(refusal({"-"}), "unrecognized command: \"-\"");
}

TEST(Flags, the_first_word_and_two_dashes_end_them) {
  EXPECT_TRUE(parse_flags({"Version", "-zz"})->shows_version);
  EXPECT_TRUE(parse_flags({"HELP"})->shows_help);
  EXPECT_TRUE(parse_flags({"-p", "1", "--"})->words.empty());
  EXPECT_EQ(refusal({"--", "-p", "1"}), "unrecognized command: \"-p\"");
}

TEST(Flags, the_last_of_a_kind_counts_and_combined_switches_beat_single_ones) {
  EXPECT_EQ(applied({"-p", "1", "--port=2"}).port, 2);
  const Options off = applied({"-DV=false", "-D", "-V"});
  EXPECT_FALSE(off.debug || off.trace);
}

TEST(Flags, beat_the_file) {
  Options file;
  file.port = 5000;
  file.debug = true;
  file.host = "file";
  const Options both = applied({"-p", "6000", "-D=false"}, file);
  EXPECT_EQ(both.port, 6000);
  EXPECT_FALSE(both.debug);
  EXPECT_EQ(both.host, "file");
}

TEST(Flags, usage_names_every_flag) {
  const std::string usage = flags_usage("martlet serve");
  EXPECT_NE(usage.find("Usage: martlet serve [options]"), std::string::npos);
  for (const std::string_view name : flag_names()) {
    EXPECT_NE(usage.find("-" + std::string(name)), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace martlet::server
