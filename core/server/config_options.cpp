// SPDX-License-Identifier: Apache-2.0
//
// Owns the tables of keys and one function for each kind of value. Nothing is applied in place: a
// new Options leaves, or a list of what is wrong.
#include "server/config_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "base/clock.hpp"
#include "base/go_duration.hpp"
#include "base/json.hpp"
#include "base/trimmed.hpp"
#include "broker/session.hpp"
#include "server/config_scalars.hpp"
#include "server/host_port.hpp"
#include "server/later_keys.hpp"

namespace martlet::server {
namespace {

constexpr int32_t default_port = 4222;
constexpr int32_t any_port = -1;
constexpr int64_t int32_max = std::numeric_limits<int32_t>::max();
constexpr int64_t payload_advised_max = 8 * 1024 * 1024;
constexpr int32_t loops_max = 1024;
constexpr int64_t lame_duck_duration_min_ns = 30 * ns_per_s;

/// Applies one tree to one Options; collects what is wrong.
class OptionsReader {
 public:
  OptionsReader(const ConfigTree& tree, const Options& base) : tree_(tree), options_(base) {}

  void read();
  Result<ConfiguredOptions> finish();

 private:
  using Apply = void (OptionsReader::*)(const std::string& key, const ConfigValue& value);
  struct Key {
    std::string_view name;
    Apply apply;
  };
  static const Key top_keys[];
  static const Key authorization_keys[];
  static const Key own_keys[];

  template <size_t N>
  void read_map(const ConfigValue::Map& map, const Key (&keys)[N]);
  template <size_t N>
  bool apply_known(const Key (&keys)[N], const std::string& name, const std::string& key,
                   const ConfigValue& value);

  // Values of a type, or a refusal.
  bool take(const ConfigValue& value, std::string& out);
  bool take(const ConfigValue& value, int64_t& out);
  bool take(const ConfigValue& value, bool& out);
  bool take_port(const ConfigValue& value, int32_t& out);
  bool take_duration(std::string_view field, const ConfigValue& value, int64_t& out_ns);
  bool take_string_duration(std::string_view field, const ConfigValue& value, int64_t& out_ns);
  bool take_listen(const ConfigValue& value, std::string& host, int32_t& port);

  void refuse(const ConfigValue& value, const std::string& sentence);
  void refuse_type(const ConfigValue& value, std::string_view wanted);
  void warn(const ConfigValue& value, std::string_view field, const std::string& sentence);
  std::string placed(const ConfigValue& value, const std::string& sentence) const;

  template <std::string Options::* Member>
  void set(const std::string&, const ConfigValue& value) {
    take(value, options_.*Member);
  }
  template <bool Options::* Member>
  void set(const std::string&, const ConfigValue& value) {
    take(value, options_.*Member);
  }
  template <int64_t Options::* Member>
  void set(const std::string&, const ConfigValue& value) {
    take(value, options_.*Member);
  }
  template <std::string auth::AuthOptions::* Member>
  void set_auth(const std::string&, const ConfigValue& value) {
    take(value, options_.auth.*Member);
  }
  template <int64_t Options::* Member>
  void set_int32(const std::string& key, const ConfigValue& value);
  /// Zero means the default.
  template <int64_t Options::* Member>
  void set_default_at_zero(const std::string& key, const ConfigValue& value);

  void set_port(const std::string& key, const ConfigValue& value);
  void set_http_port(const std::string& key, const ConfigValue& value);
  void set_listen(const std::string& key, const ConfigValue& value);
  void set_http(const std::string& key, const ConfigValue& value);
  void set_server_name(const std::string& key, const ConfigValue& value);
  void set_trace_verbose(const std::string& key, const ConfigValue& value);
  void set_max_connections(const std::string& key, const ConfigValue& value);
  void set_max_sub_tokens(const std::string& key, const ConfigValue& value);
  void set_ping_interval(const std::string& key, const ConfigValue& value);
  void set_write_deadline(const std::string& key, const ConfigValue& value);
  void set_write_timeout(const std::string& key, const ConfigValue& value);
  void set_server_tags(const std::string& key, const ConfigValue& value);
  void set_server_metadata(const std::string& key, const ConfigValue& value);
  void set_authorization(const std::string& key, const ConfigValue& value);
  void set_auth_timeout(const std::string& key, const ConfigValue& value);
  void set_own(const std::string& key, const ConfigValue& value);
  void set_loops(const std::string& key, const ConfigValue& value);
  void set_max_memory(const std::string& key, const ConfigValue& value);
  void check_lame_duck_duration(const std::string& key, const ConfigValue& value);
  void check_lame_duck_grace_period(const std::string& key, const ConfigValue& value);
  void check_number(const std::string& key, const ConfigValue& value);
  void add_tag(const std::string& text);

  const ConfigTree& tree_;
  Options options_;
  std::vector<std::string> errors_;
  std::vector<std::string> warnings_;
};

const OptionsReader::Key OptionsReader::top_keys[] = {
    {"listen", &OptionsReader::set_listen},
    {"host", &OptionsReader::set<&Options::host>},
    {"net", &OptionsReader::set<&Options::host>},
    {"port", &OptionsReader::set_port},
    {"server_name", &OptionsReader::set_server_name},
    {"client_advertise", &OptionsReader::set<&Options::client_advertise>},
    {"http", &OptionsReader::set_http},
    {"http_port", &OptionsReader::set_http_port},
    {"monitor_port", &OptionsReader::set_http_port},
    {"http_base_path", &OptionsReader::set<&Options::http_base_path>},
    {"max_control_line", &OptionsReader::set_int32<&Options::max_control_line>},
    {"max_payload", &OptionsReader::set_int32<&Options::max_payload>},
    {"max_pending", &OptionsReader::set_default_at_zero<&Options::max_pending>},
    {"max_connections", &OptionsReader::set_max_connections},
    {"max_conn", &OptionsReader::set_max_connections},
    {"max_subscriptions", &OptionsReader::set<&Options::max_subscriptions>},
    {"max_subs", &OptionsReader::set<&Options::max_subscriptions>},
    {"max_sub_tokens", &OptionsReader::set_max_sub_tokens},
    {"max_subscription_tokens", &OptionsReader::set_max_sub_tokens},
    {"max_traced_msg_len", &OptionsReader::set<&Options::max_traced_msg_len>},
    {"max_closed_clients", &OptionsReader::set_default_at_zero<&Options::max_closed_clients>},
    {"ping_interval", &OptionsReader::set_ping_interval},
    {"ping_max", &OptionsReader::set_default_at_zero<&Options::ping_max>},
    {"write_deadline", &OptionsReader::set_write_deadline},
    {"write_timeout", &OptionsReader::set_write_timeout},
    {"no_fast_producer_stall", &OptionsReader::set<&Options::no_fast_producer_stall>},
    {"no_header_support", &OptionsReader::set<&Options::no_header_support>},
    {"disable_sublist_cache", &OptionsReader::set<&Options::no_sublist_cache>},
    {"no_sublist_cache", &OptionsReader::set<&Options::no_sublist_cache>},
    {"authorization", &OptionsReader::set_authorization},
    {"debug", &OptionsReader::set<&Options::debug>},
    {"trace", &OptionsReader::set<&Options::trace>},
    {"trace_verbose", &OptionsReader::set_trace_verbose},
    {"logtime", &OptionsReader::set<&Options::logtime>},
    {"logtime_utc", &OptionsReader::set<&Options::logtime_utc>},
    {"logfile", &OptionsReader::set<&Options::log_file>},
    {"log_file", &OptionsReader::set<&Options::log_file>},
    {"logfile_size_limit", &OptionsReader::set<&Options::logfile_size_limit>},
    {"log_size_limit", &OptionsReader::set<&Options::logfile_size_limit>},
    {"logfile_max_num", &OptionsReader::set<&Options::logfile_max_num>},
    {"log_max_num", &OptionsReader::set<&Options::logfile_max_num>},
    {"syslog", &OptionsReader::set<&Options::syslog>},
    {"remote_syslog", &OptionsReader::set<&Options::remote_syslog>},
    {"pidfile", &OptionsReader::set<&Options::pid_file>},
    {"pid_file", &OptionsReader::set<&Options::pid_file>},
    {"ports_file_dir", &OptionsReader::set<&Options::ports_file_dir>},
    {"server_tags", &OptionsReader::set_server_tags},
    {"server_metadata", &OptionsReader::set_server_metadata},
    {"lame_duck_duration", &OptionsReader::check_lame_duck_duration},
    {"lame_duck_grace_period", &OptionsReader::check_lame_duck_grace_period},
    {"connect_error_reports", &OptionsReader::check_number},
    {"reconnect_error_reports", &OptionsReader::check_number},
    {"martlet", &OptionsReader::set_own},
};

const OptionsReader::Key OptionsReader::authorization_keys[] = {
    {"user", &OptionsReader::set_auth<&auth::AuthOptions::user>},
    {"username", &OptionsReader::set_auth<&auth::AuthOptions::user>},
    {"pass", &OptionsReader::set_auth<&auth::AuthOptions::password>},
    {"password", &OptionsReader::set_auth<&auth::AuthOptions::password>},
    {"token", &OptionsReader::set_auth<&auth::AuthOptions::token>},
    {"timeout", &OptionsReader::set_auth_timeout},
};

const OptionsReader::Key OptionsReader::own_keys[] = {
    {"loops", &OptionsReader::set_loops},
    {"max_memory", &OptionsReader::set_max_memory},
};

void OptionsReader::read() {
  if (tree_.root.empty()) {
    warnings_.push_back(fmt::format("{}: config has no values or is empty", tree_.files[0]));
  }
  read_map(tree_.root, top_keys);
}

Result<ConfiguredOptions> OptionsReader::finish() {
  if (errors_.empty()) return ConfiguredOptions{std::move(options_), std::move(warnings_)};
  std::string all;
  for (const std::string& warning : warnings_) all += warning + "\n";
  for (const std::string& error : errors_) all += error + "\n";
  return {ErrorCode::invalid_options, std::move(all)};
}

template <size_t N>
bool OptionsReader::apply_known(const Key (&keys)[N], const std::string& name,
                                const std::string& key, const ConfigValue& value) {
  const Key* const found =
      std::find_if(keys, keys + N, [&name](const Key& known) { return known.name == name; });
  if (found == keys + N) return false;
  (this->*found->apply)(key, value);
  return true;
}

template <size_t N>
void OptionsReader::read_map(const ConfigValue::Map& map, const Key (&keys)[N]) {
  const bool is_top = static_cast<const void*>(keys) == static_cast<const void*>(top_keys);
  const bool is_authorization =
      static_cast<const void*>(keys) == static_cast<const void*>(authorization_keys);
  for (const auto& [key, value] : map) {
    const std::string name = lower_case(key);
    if (apply_known(keys, name, key, value)) continue;
    const std::optional<std::string_view> later = is_top             ? later_top_key(name)
                                                  : is_authorization ? later_authorization_key(name)
                                                                     : std::nullopt;
    if (later) {
      // Switched off is what this version does anyway.
      if (value.boolean() != nullptr && !*value.boolean()) continue;
      refuse(value, fmt::format("{} comes later: this version has no {}", go_quoted(key), *later));
      continue;
    }
    if (value.is_used_variable) continue;
    refuse(value, fmt::format("unknown field {}", go_quoted(key)));
  }
}

std::string OptionsReader::placed(const ConfigValue& value, const std::string& sentence) const {
  return fmt::format("{}: {}", tree_.where(value.position), sentence);
}

void OptionsReader::refuse(const ConfigValue& value, const std::string& sentence) {
  errors_.push_back(placed(value, sentence));
}

void OptionsReader::refuse_type(const ConfigValue& value, std::string_view wanted) {
  refuse(value, fmt::format("interface conversion: interface {{}} is {}, not {}", value.type_name(),
                            wanted));
}

void OptionsReader::warn(const ConfigValue& value, std::string_view field,
                         const std::string& sentence) {
  warnings_.push_back(
      placed(value, fmt::format("invalid use of field {}: {}", go_quoted(field), sentence)));
}

bool OptionsReader::take(const ConfigValue& value, std::string& out) {
  if (value.string() == nullptr) return refuse_type(value, "string"), false;
  out = *value.string();
  return true;
}

bool OptionsReader::take(const ConfigValue& value, int64_t& out) {
  if (value.integer() == nullptr) return refuse_type(value, "int64"), false;
  out = *value.integer();
  return true;
}

bool OptionsReader::take(const ConfigValue& value, bool& out) {
  if (value.boolean() == nullptr) return refuse_type(value, "bool"), false;
  out = *value.boolean();
  return true;
}

bool OptionsReader::take_port(const ConfigValue& value, int32_t& out) {
  int64_t port = 0;
  if (!take(value, port)) return false;
  if (port < any_port || port > 65535)
    return refuse(value, fmt::format("port {} is not between -1 and 65535", port)), false;
  out = static_cast<int32_t>(port);
  return true;
}

bool OptionsReader::take_listen(const ConfigValue& value, std::string& host, int32_t& port) {
  if (value.integer() != nullptr) {
    host.clear();
    return take_port(value, port);
  }
  if (value.string() == nullptr) {
    return refuse(value, fmt::format("expected port or host:port, got {}", value.type_name())),
           false;
  }
  const Result<HostPort> split = split_host_port(*value.string());
  if (!split) return refuse(value, split.error().context), false;
  if (split->port < any_port || split->port > 65535) {
    return refuse(value, fmt::format("port {} is not between -1 and 65535", split->port)), false;
  }
  host = split->host;
  port = static_cast<int32_t>(split->port);
  return true;
}

bool OptionsReader::take_duration(std::string_view field, const ConfigValue& value,
                                  int64_t& out_ns) {
  if (value.string() != nullptr) {
    Result<int64_t> duration = parse_go_duration(*value.string());
    if (!duration)
      return refuse(value, fmt::format("error parsing {}: {}", field, duration.error().context)),
             false;
    out_ns = *duration;
    return true;
  }
  int64_t seconds = 0;
  warn(value, field, fmt::format("{} should be converted to a duration", field));
  if (!take(value, seconds)) return false;
  if (seconds > std::numeric_limits<int64_t>::max() / ns_per_s ||
      seconds < -std::numeric_limits<int64_t>::max() / ns_per_s) {
    return refuse(value,
                  fmt::format("error parsing {}: {} seconds are out of the range", field, seconds)),
           false;
  }
  out_ns = seconds * ns_per_s;
  return true;
}

bool OptionsReader::take_string_duration(std::string_view field, const ConfigValue& value,
                                         int64_t& out_ns) {
  if (value.string() == nullptr) return refuse_type(value, "string"), false;
  return take_duration(field, value, out_ns);
}

template <int64_t Options::* Member>
void OptionsReader::set_int32(const std::string& key, const ConfigValue& value) {
  int64_t number = 0;
  if (!take(value, number)) return;
  if (number > int32_max) return refuse(value, fmt::format("{} value is too big", key));
  options_.*Member = number == 0 ? Options{}.*Member : number;
}

template <int64_t Options::* Member>
void OptionsReader::set_default_at_zero(const std::string&, const ConfigValue& value) {
  int64_t number = 0;
  if (!take(value, number)) return;
  options_.*Member = number == 0 ? Options{}.*Member : number;
}

void OptionsReader::set_port(const std::string&, const ConfigValue& value) {
  take_port(value, options_.port);
}

void OptionsReader::set_http_port(const std::string&, const ConfigValue& value) {
  take_port(value, options_.http_port);
}

void OptionsReader::set_listen(const std::string&, const ConfigValue& value) {
  if (take_listen(value, options_.host, options_.port) && options_.host.empty())
    options_.host = Options{}.host;
}

void OptionsReader::set_http(const std::string&, const ConfigValue& value) {
  take_listen(value, options_.http_host, options_.http_port);
}

void OptionsReader::set_server_name(const std::string&, const ConfigValue& value) {
  std::string name;
  if (!take(value, name)) return;
  if (name.find(' ') != std::string::npos)
    return refuse(value, "server name cannot contain spaces");
  options_.server_name = name;
}

void OptionsReader::set_trace_verbose(const std::string&, const ConfigValue& value) {
  if (take(value, options_.trace_verbose)) options_.trace = options_.trace_verbose;
}

// In NATS zero means that none are allowed, which is -1 within.
void OptionsReader::set_max_connections(const std::string&, const ConfigValue& value) {
  int64_t number = 0;
  if (take(value, number)) options_.max_connections = number == 0 ? -1 : number;
}

void OptionsReader::set_max_sub_tokens(const std::string& key, const ConfigValue& value) {
  int64_t number = 0;
  if (!take(value, number)) return;
  if (number > 255) return refuse(value, fmt::format("{} value is too big", key));
  if (number <= 0) return refuse(value, fmt::format("{} value can not be negative", key));
  options_.max_sub_tokens = number;
}

void OptionsReader::set_ping_interval(const std::string&, const ConfigValue& value) {
  int64_t ns = 0;
  if (take_duration("ping_interval", value, ns))
    options_.ping_interval_ns = ns == 0 ? Options{}.ping_interval_ns : ns;
}

void OptionsReader::set_write_deadline(const std::string&, const ConfigValue& value) {
  int64_t ns = 0;
  if (take_duration("write_deadline", value, ns))
    options_.write_deadline_ns = ns == 0 ? Options{}.write_deadline_ns : ns;
}

// Clients are closed when a write takes too long, which is the default for them as well.
void OptionsReader::set_write_timeout(const std::string& key, const ConfigValue& value) {
  std::string policy;
  if (!take(value, policy)) return;
  if (policy == "default" || policy == "close") return;
  if (policy == "retry") {
    return refuse(value, fmt::format("{}: \"retry\" comes later, with links between servers",
                                     go_quoted(key)));
  }
  refuse(value, "write_timeout must be 'default', 'close' or 'retry'");
}

void OptionsReader::add_tag(const std::string& text) {
  const std::string tag = lower_case(trimmed(text, ascii_blanks));
  std::vector<std::string>& tags = options_.server_tags;
  if (!tag.empty() && std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(tag);
}

void OptionsReader::set_server_tags(const std::string&, const ConfigValue& value) {
  if (value.string() != nullptr) return add_tag(*value.string());
  if (value.array() == nullptr)
    return refuse(value, fmt::format("error parsing tags: unsupported type {}", value.type_name()));
  for (const ConfigValue& element : *value.array()) {
    if (element.string() == nullptr) {
      return refuse(value,
                    fmt::format("error parsing tags: unsupported type {} where string is expected",
                                element.type_name()));
    }
    add_tag(*element.string());
  }
}

void OptionsReader::set_server_metadata(const std::string&, const ConfigValue& value) {
  if (value.map() == nullptr) {
    return refuse(value,
                  fmt::format("error parsing metadata: unsupported type {}", value.type_name()));
  }
  for (const auto& [name, element] : *value.map()) {
    std::string text;
    if (!take(element, text)) return;
    options_.server_metadata.insert_or_assign(name, text);
  }
}

void OptionsReader::set_authorization(const std::string&, const ConfigValue& value) {
  if (value.map() == nullptr) return refuse_type(value, "map[string]interface {}");
  options_.auth = {};
  read_map(*value.map(), authorization_keys);
  if (options_.auth.token.empty()) return;
  if (!options_.auth.user.empty() || !options_.auth.password.empty()) {
    refuse(value, "Cannot have a user/pass and token");
  }
}

void OptionsReader::set_auth_timeout(const std::string& key, const ConfigValue& value) {
  double seconds = 0;
  std::string shown;
  if (value.integer() != nullptr) {
    seconds = static_cast<double>(*value.integer());
    shown = std::to_string(*value.integer());
  } else if (value.number() != nullptr) {
    seconds = *value.number();
    shown = json_number(seconds);
  } else if (value.string() != nullptr) {
    const Result<int64_t> duration = parse_go_duration(*value.string());
    if (!duration) {
      return refuse(value, fmt::format("error parsing authorization config, 'timeout' {}",
                                       duration.error().context));
    }
    seconds = static_cast<double>(*duration) / ns_per_s;
    shown = *value.string();
  } else {
    return refuse(value, "error parsing authorization config, 'timeout' wrong type");
  }
  if (seconds > 60) {
    warn(value, key,
         fmt::format("timeout of {} ({:f} seconds) is high, consider keeping it under 60 seconds. "
                     "possibly caused by "
                     "unquoted duration; use '1m' instead of 1m, for example",
                     shown, seconds));
  }
  // A year is for ever here; the bound keeps the product within an int64. Below zero, as in NATS,
  // nobody is in time.
  constexpr double year = 365.0 * 24 * 3600;
  const double bounded = std::clamp(seconds, -year, year);
  options_.auth_timeout_ns = bounded == 0 ? Options{}.auth_timeout_ns
                                          : static_cast<int64_t>(std::llround(bounded * ns_per_s));
}

void OptionsReader::set_own(const std::string&, const ConfigValue& value) {
  if (value.map() == nullptr) return refuse_type(value, "map[string]interface {}");
  read_map(*value.map(), own_keys);
}

void OptionsReader::set_loops(const std::string& key, const ConfigValue& value) {
  int64_t loops = 0;
  if (!take(value, loops)) return;
  if (loops < 0 || loops > loops_max) {
    return refuse(value, fmt::format("{} {} is not between 0 and {}", key, loops, loops_max));
  }
  options_.loops = static_cast<int32_t>(loops);
}

void OptionsReader::set_max_memory(const std::string& key, const ConfigValue& value) {
  int64_t bytes = 0;
  if (!take(value, bytes)) return;
  if (bytes < 0) return refuse(value, fmt::format("{} {} is negative", key, bytes));
  options_.max_memory = bytes;
}

// Lame duck mode comes later, but its times stand in nearly every deployment and harm nothing until
// then.
void OptionsReader::check_lame_duck_duration(const std::string& key, const ConfigValue& value) {
  int64_t ns = 0;
  if (!take_string_duration(lower_case(key), value, ns)) return;
  if (ns >= lame_duck_duration_min_ns) return;
  refuse(value, fmt::format("invalid lame_duck_duration of {}, minimum is 30 seconds",
                            format_go_duration(ns)));
}

void OptionsReader::check_lame_duck_grace_period(const std::string& key, const ConfigValue& value) {
  int64_t ns = 0;
  if (take_string_duration(lower_case(key), value, ns) && ns < 0) {
    refuse(value, "invalid lame_duck_grace_period, needs to be positive");
  }
}

// How often failing links to other servers are reported: there are none yet.
void OptionsReader::check_number(const std::string&, const ConfigValue& value) {
  int64_t ignored = 0;
  take(value, ignored);
}

}  // namespace

Result<ConfiguredOptions> options_from_config(const ConfigTree& tree, const Options& base) {
  OptionsReader reader(tree, base);
  reader.read();
  Result<ConfiguredOptions> result = reader.finish();
  if (!result) return result;
  if (result->options.port == 0) result->options.port = default_port;
  result->options.config_file = tree.files[0];
  result->options.config_digest = tree.digest();
  return result;
}

Status check_options(const Options& options) {
  const auto refuse = [](std::string sentence) {
    return Status(ErrorCode::invalid_options, std::move(sentence));
  };
  if (options.max_payload > options.max_pending) {
    return refuse(fmt::format("max_payload ({}) cannot be higher than max_pending ({})",
                              options.max_payload, options.max_pending));
  }
  if (options.server_name.find(' ') != std::string::npos)
    return refuse("server name cannot contain spaces");
  if (options.max_control_line < 1) {
    return refuse(
        fmt::format("max_control_line ({}) must be at least 1", options.max_control_line));
  }
  for (const int32_t port : {options.port, options.http_port}) {
    if (port < any_port || port > 65535)
      return refuse(fmt::format("port {} is not between -1 and 65535", port));
  }
  if (!options.auth.token.empty() &&
      (!options.auth.user.empty() || !options.auth.password.empty())) {
    return refuse("Cannot have a user/pass and token");
  }
  return {};
}

std::vector<std::string> options_advice(const Options& options) {
  std::vector<std::string> advice;
  if (options.max_payload > payload_advised_max) {
    advice.push_back(fmt::format(
        "max_payload of {} bytes: payloads above {} bytes are discouraged and can make the "
        "server slow; store large objects in pieces",
        options.max_payload, payload_advised_max));
  }
  if (!options.auth.password.empty() && !auth::is_bcrypt(options.auth.password)) {
    advice.push_back("Plaintext passwords detected, use nkeys or bcrypt");
  }
  if (options.no_sublist_cache) {
    advice.push_back(
        "disable_sublist_cache changes nothing: what is kept of routes is bounded and always on");
  }
  return advice;
}

}  // namespace martlet::server
