// SPDX-License-Identifier: Apache-2.0
//
// Owns the table of keys of the JSON form, and one sentence for each way to be wrong.
#include "server/options_json.hpp"

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/json.hpp"

namespace martlet::server {
namespace {

Status bad(std::string_view key, std::string_view why) {
  return Status(ErrorCode::invalid_options, fmt::format("option \"{}\": {}", key, why));
}

Status set(std::string_view key, const json::value& value, std::string& out) {
  if (!value.is_string()) return bad(key, "a text is wanted");
  out = std::string(value.get_string());
  return Status();
}

Status set(std::string_view key, const json::value& value, bool& out) {
  if (!value.is_bool()) return bad(key, "true or false is wanted");
  out = value.get_bool();
  return Status();
}

template <typename Number>
Status set(std::string_view key, const json::value& value, Number& out, int64_t least, int64_t most,
           int64_t scale = 1) {
  if (!value.is_int64()) return bad(key, "a whole number is wanted");
  const int64_t number = value.get_int64();
  if (number < least || number > most) {
    return bad(key, fmt::format("{} is not within {} and {}", number, least, most));
  }
  out = static_cast<Number>(number * scale);
  return Status();
}

// 0 is any free port here; the core says -1.
Status set_port(std::string_view key, const json::value& value, int32_t& out) {
  Status status = set(key, value, out, -1, 65535);
  if (status && out == 0) out = -1;
  return status;
}

constexpr int64_t day_ms = 24LL * 3600 * 1000;
constexpr int64_t bytes_limit = 1LL << 46;
constexpr int64_t payload_limit = 64LL * 1024 * 1024;

struct Key {
  std::string_view name;
  Status (*set)(std::string_view key, const json::value& value, Options& out);
};

// Sorted by name.
constexpr Key keys[] = {
    {"debug", [](auto key, const auto& value, Options& o) { return set(key, value, o.debug); }},
    {"host", [](auto key, const auto& value, Options& o) { return set(key, value, o.host); }},
    {"http_host",
     [](auto key, const auto& value, Options& o) { return set(key, value, o.http_host); }},
    {"http_port",
     [](auto key, const auto& value, Options& o) { return set_port(key, value, o.http_port); }},
    {"listen", [](auto key, const auto& value, Options& o) { return set(key, value, o.listens); }},
    {"loops",
     [](auto key, const auto& value, Options& o) { return set(key, value, o.loops, 0, 256); }},
    {"max_connections",
     [](auto key, const auto& value, Options& o) {
       return set(key, value, o.max_connections, 1, INT32_MAX);
     }},
    {"max_control_line",
     [](auto key, const auto& value, Options& o) {
       return set(key, value, o.max_control_line, 64, payload_limit);
     }},
    {"max_memory", [](auto key, const auto& value,
                      Options& o) { return set(key, value, o.max_memory, 0, bytes_limit); }},
    {"max_payload", [](auto key, const auto& value,
                       Options& o) { return set(key, value, o.max_payload, 1, payload_limit); }},
    {"max_pending", [](auto key, const auto& value,
                       Options& o) { return set(key, value, o.max_pending, 1, bytes_limit); }},
    {"max_subscriptions",
     [](auto key, const auto& value, Options& o) {
       return set(key, value, o.max_subscriptions, 0, INT32_MAX);
     }},
    {"password",
     [](auto key, const auto& value, Options& o) { return set(key, value, o.auth.password); }},
    {"ping_interval_ms",
     [](auto key, const auto& value, Options& o) {
       return set(key, value, o.ping_interval_ns, 1, day_ms, ns_per_ms);
     }},
    {"ping_max",
     [](auto key, const auto& value, Options& o) { return set(key, value, o.ping_max, 1, 1000); }},
    {"port", [](auto key, const auto& value, Options& o) { return set_port(key, value, o.port); }},
    {"server_name",
     [](auto key, const auto& value, Options& o) { return set(key, value, o.server_name); }},
    {"spin_us", [](auto key, const auto& value,
                   Options& o) { return set(key, value, o.spin_us, 0, 1000000); }},
    {"token",
     [](auto key, const auto& value, Options& o) { return set(key, value, o.auth.token); }},
    {"trace", [](auto key, const auto& value, Options& o) { return set(key, value, o.trace); }},
    {"user", [](auto key, const auto& value, Options& o) { return set(key, value, o.auth.user); }},
    {"write_deadline_ms",
     [](auto key, const auto& value, Options& o) {
       return set(key, value, o.write_deadline_ns, 1, day_ms, ns_per_ms);
     }},
};

const Key* find_key(std::string_view name) {
  for (const Key& key : keys) {
    if (key.name == name) return &key;
  }
  return nullptr;
}

}  // namespace

std::vector<std::string_view> options_json_keys() {
  std::vector<std::string_view> names;
  for (const Key& key : keys) names.push_back(key.name);
  return names;
}

Options embedded_defaults() {
  Options options;
  options.host = "127.0.0.1";
  options.port = -1;
  return options;
}

Result<Options> parse_options_json(std::string_view text) {
  Options options = embedded_defaults();
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return options;
  boost::system::error_code error;
  const json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error)
    return Error{ErrorCode::invalid_options,
                 fmt::format("options: not JSON ({})", error.message())};
  if (!value.is_object())
    return Error{ErrorCode::invalid_options, "options: a JSON object is wanted"};
  for (const json::key_value_pair& pair : value.get_object()) {
    const std::string_view name(pair.key().data(), pair.key().size());
    const Key* const key = find_key(name);
    if (key == nullptr) return bad(name, "there is no such option").take_error();
    Status status = key->set(name, pair.value(), options);
    if (!status) return status.take_error();
  }
  if (!options.auth.token.empty() &&
      (!options.auth.user.empty() || !options.auth.password.empty())) {
    return bad("token", "a token and a user exclude each other").take_error();
  }
  if (options.auth.user.empty() && !options.auth.password.empty()) {
    return bad("password", "a password needs a user").take_error();
  }
  if (options.host.empty()) {
    return bad("host", "it is empty; 0.0.0.0 or :: is every address").take_error();
  }
  if (options.server_name.find(' ') != std::string::npos) {
    return bad("server_name", "a name holds no space").take_error();
  }
  if (!options.listens && options.http_port != 0) {
    return bad("listen", "false, but a monitoring port is asked for").take_error();
  }
  return options;
}

}  // namespace martlet::server
