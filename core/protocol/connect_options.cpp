// SPDX-License-Identifier: Apache-2.0
//
// Owns the reading of CONNECT.
#include "protocol/connect_options.hpp"

#include "base/json.hpp"

namespace martlet::protocol {
namespace {

constexpr size_t depth_max = 32;

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return lower;
}

// Each reader answers false for a wrong type; null leaves the value as it is, as Go's decoder does.
bool read(const json::value& value, bool& out) {
  if (value.is_null()) return true;
  if (!value.is_bool()) return false;
  out = value.get_bool();
  return true;
}

bool read(const json::value& value, std::string& out) {
  if (value.is_null()) return true;
  if (!value.is_string()) return false;
  out = value.get_string();
  return true;
}

bool read(const json::value& value, int64_t& out) {
  if (value.is_null()) return true;
  if (!value.is_int64()) return false;
  out = value.get_int64();
  return true;
}

bool read_key(const std::string& key, const json::value& value, ConnectOptions& options) {
  if (key == "verbose") return read(value, options.verbose);
  if (key == "pedantic") return read(value, options.pedantic);
  if (key == "echo") return read(value, options.echo);
  if (key == "tls_required") return read(value, options.tls_required);
  if (key == "headers") return read(value, options.headers);
  if (key == "no_responders") return read(value, options.no_responders);
  if (key == "protocol") return read(value, options.protocol);
  if (key == "user") return read(value, options.user);
  if (key == "pass") return read(value, options.password);
  if (key == "auth_token") return read(value, options.token);
  if (key == "nkey") return read(value, options.nkey);
  if (key == "sig") return read(value, options.signature);
  if (key == "name") return read(value, options.name);
  if (key == "lang") return read(value, options.language);
  if (key == "version") return read(value, options.version);
  std::string ignored;
  bool flag = false;
  if (key == "jwt" || key == "proxy_sig" || key == "remote_account") return read(value, ignored);
  if (key == "account") {
    if (!read(value, ignored)) return false;
    options.has_account = options.has_account || !ignored.empty();
    return true;
  }
  if (key == "new_account") {
    if (!read(value, flag)) return false;
    options.has_account = options.has_account || flag;
    return true;
  }
  return true;
}

}  // namespace

Status read_connect(std::string_view text, ConnectOptions& options) {
  boost::system::error_code error;
  json::parse_options rules;
  rules.max_depth = depth_max;
  rules.allow_invalid_utf8 = true;
  const json::value value = json::parse(json::string_view(text.data(), text.size()), error, {}, rules);
  if (error) return Status(ErrorCode::protocol, "CONNECT is not JSON: " + error.message());
  if (value.is_null()) return Status();
  if (!value.is_object()) return Status(ErrorCode::protocol, "CONNECT is not a JSON object");
  for (const auto& [key, entry] : value.get_object()) {
    if (!read_key(lower_case(std::string_view(key.data(), key.size())), entry, options)) {
      return Status(ErrorCode::protocol, "CONNECT has a wrong type at \"" + std::string(key) + "\"");
    }
  }
  return Status();
}

}  // namespace martlet::protocol
