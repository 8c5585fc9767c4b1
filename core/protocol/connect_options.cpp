// SPDX-License-Identifier: Apache-2.0
//
// Owns the reading of CONNECT.
#include "protocol/connect_options.hpp"

#include <algorithm>

#include "base/json.hpp"

namespace martlet::protocol {
namespace {

constexpr size_t depth_max = 1000;

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

bool is_surrogate_escape(std::string_view text, size_t at, char first, char second) {
  return at + 6 <= text.size() && text[at] == '\\' && text[at + 1] == 'u' &&
         (text[at + 2] | 0x20) == 'd' &&
         ((text[at + 3] | 0x20) >= first && (text[at + 3] | 0x20) <= second);
}

// Go's decoder takes half a surrogate pair as U+FFFD; the library refuses it.
std::string without_lone_surrogates(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const bool high =
        is_surrogate_escape(text, i, '8', '9') || is_surrogate_escape(text, i, 'a', 'b');
    const auto is_low = [&](size_t at) { return is_surrogate_escape(text, at, 'c', 'f'); };
    if (high && is_low(i + 6)) {
      out.append(text.substr(i, 12));
      i += 12;
    } else if (high || is_low(i)) {
      out.append("\\ufffd");
      i += 6;
    } else if (text[i] == '\\' && i + 1 < text.size()) {
      out.append(text.substr(i, 2));
      i += 2;
    } else {
      out += text[i];
      i += 1;
    }
  }
  return out;
}

json::value parse_leniently(std::string_view text, boost::system::error_code& error) {
  json::parse_options rules;
  rules.max_depth = depth_max;
  rules.allow_invalid_utf8 = true;
  json::value value = json::parse(json::string_view(text.data(), text.size()), error, {}, rules);
  if (error && text.find("\\u") != std::string_view::npos) {
    const std::string repaired = without_lone_surrogates(text);
    value = json::parse(repaired, error, {}, rules);
  }
  return value;
}

// The keys of INFO by type; a client has no reason to send one, but a wrong one ends the
// connection.
bool fits_info(const std::string& key, const json::value& value) {
  static constexpr std::string_view texts[] = {"server_id", "server_name", "version", "git_commit",
                                               "go",        "host",        "ip",      "client_ip",
                                               "nonce",     "cluster",     "domain",  "xkey"};
  static constexpr std::string_view numbers[] = {"proto", "port", "max_payload", "client_id",
                                                 "api_lvl"};
  static constexpr std::string_view flags[] = {"headers",    "auth_required", "tls_required",
                                               "tls_verify", "jetstream",     "cluster_dynamic",
                                               "ldm",        "connect_info"};
  if (value.is_null()) return true;
  const auto is_in = [&](const auto& keys) {
    return std::find(std::begin(keys), std::end(keys), key) != std::end(keys);
  };
  if (is_in(texts)) return value.is_string();
  if (is_in(numbers)) return value.is_int64();
  if (is_in(flags)) return value.is_bool();
  if (key == "connect_urls" || key == "ws_connect_urls") {
    if (!value.is_array()) return false;
    for (const json::value& entry : value.get_array()) {
      if (!entry.is_string() && !entry.is_null()) return false;
    }
  }
  return true;
}

}  // namespace

bool is_info(std::string_view text) {
  boost::system::error_code error;
  const json::value value = parse_leniently(text, error);
  if (error) return false;
  if (value.is_null()) return true;
  if (!value.is_object()) return false;
  for (const auto& [key, entry] : value.get_object()) {
    if (!fits_info(lower_case(std::string_view(key.data(), key.size())), entry)) return false;
  }
  return true;
}

Status read_connect(std::string_view text, ConnectOptions& options) {
  boost::system::error_code error;
  const json::value value = parse_leniently(text, error);
  if (error) return Status(ErrorCode::protocol, "CONNECT is not JSON: " + error.message());
  if (value.is_null()) return Status();
  if (!value.is_object()) return Status(ErrorCode::protocol, "CONNECT is not a JSON object");
  for (const auto& [key, entry] : value.get_object()) {
    if (!read_key(lower_case(std::string_view(key.data(), key.size())), entry, options)) {
      return Status(ErrorCode::protocol,
                    "CONNECT has a wrong type at \"" + std::string(key) + "\"");
    }
  }
  return Status();
}

}  // namespace martlet::protocol
