// SPDX-License-Identifier: Apache-2.0
//
// Owns reading INFO and writing CONNECT.
#include "client/server_greeting.hpp"

#include <algorithm>
#include <cctype>

#include "base/json.hpp"

namespace martlet::client {
namespace {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return lower;
}

bool read_text(const json::object& object, std::string_view key, std::string* out) {
  const json::value* const value = object.if_contains(json::string_view(key.data(), key.size()));
  if (value == nullptr || value->is_null()) return true;
  if (!value->is_string()) return false;
  *out = std::string(value->get_string());
  return true;
}

bool read_bool(const json::object& object, std::string_view key, bool* out) {
  const json::value* const value = object.if_contains(json::string_view(key.data(), key.size()));
  if (value == nullptr || value->is_null()) return true;
  if (!value->is_bool()) return false;
  *out = value->get_bool();
  return true;
}

bool read_number(const json::object& object, std::string_view key, int64_t* out) {
  const json::value* const value = object.if_contains(json::string_view(key.data(), key.size()));
  if (value == nullptr || value->is_null()) return true;
  if (value->is_uint64()) {
    *out = INT64_MAX;
    return true;
  }
  if (!value->is_int64()) return false;
  *out = value->get_int64();
  return true;
}

bool read_texts(const json::object& object, std::string_view key, std::vector<std::string>* out) {
  const json::value* const value = object.if_contains(json::string_view(key.data(), key.size()));
  if (value == nullptr || value->is_null()) return true;
  if (!value->is_array()) return false;
  for (const json::value& item : value->get_array()) {
    if (!item.is_string()) return false;
    out->emplace_back(item.get_string());
  }
  return true;
}

void add_member(std::string& out, std::string_view key, std::string_view text) {
  out.append(",\"").append(key).append("\":");
  append_json_string(out, text);
}

void add_member(std::string& out, std::string_view key, bool value) {
  out.append(",\"").append(key).append(value ? "\":true" : "\":false");
}

}  // namespace

Result<ServerInfo> parse_server_info(std::string_view json_text) {
  boost::system::error_code error;
  const json::value value =
      json::parse(json::string_view(json_text.data(), json_text.size()), error);
  if (error || !value.is_object()) {
    return Error{ErrorCode::protocol, "the server's INFO is no JSON object"};
  }
  const json::object& object = value.get_object();
  ServerInfo info;
  const bool understood = read_text(object, "server_id", &info.server_id) &&
                          read_text(object, "server_name", &info.server_name) &&
                          read_text(object, "version", &info.version) &&
                          read_text(object, "client_ip", &info.client_ip) &&
                          read_number(object, "client_id", &info.client_id) &&
                          read_number(object, "max_payload", &info.max_payload) &&
                          read_bool(object, "headers", &info.headers) &&
                          read_bool(object, "auth_required", &info.auth_required) &&
                          read_bool(object, "tls_required", &info.tls_required) &&
                          read_bool(object, "ldm", &info.lame_duck) &&
                          read_texts(object, "connect_urls", &info.connect_urls);
  if (!understood)
    return Error{ErrorCode::protocol, "the server's INFO has a field of a wrong type"};
  return info;
}

std::string connect_line(const ConnectionOptions& options, const ServerUrl* url,
                         const ServerInfo& info) {
  std::string line = "CONNECT {\"lang\":\"c++\",\"version\":\"" MARTLET_VERSION "\",\"protocol\":1";
  add_member(line, "verbose", options.verbose);
  add_member(line, "pedantic", options.pedantic);
  add_member(line, "echo", options.echo);
  add_member(line, "tls_required", false);
  add_member(line, "headers", info.headers);
  add_member(line, "no_responders", info.headers);
  if (!options.name.empty()) add_member(line, "name", options.name);
  if (!options.token.empty()) {
    add_member(line, "auth_token", options.token);
  } else if (!options.user.empty()) {
    add_member(line, "user", options.user);
    add_member(line, "pass", options.password);
  } else if (url != nullptr && url->has_password) {
    add_member(line, "user", url->user);
    add_member(line, "pass", url->password);
  } else if (url != nullptr && !url->user.empty()) {
    add_member(line, "auth_token", url->user);
  }
  return line + "}\r\n";
}

bool is_line_too_long(std::string_view text) {
  return lower_case(text).find("maximum control line") != std::string::npos;
}

ErrorCode code_of_server_error(std::string_view text) {
  const std::string lower = lower_case(text);
  const auto says = [&lower](std::string_view part) {
    return lower.find(part) != std::string::npos;
  };
  if (says("permissions violation")) return ErrorCode::permissions;
  if (says("authorization violation") || says("authentication") ||
      says("failed account registration")) {
    return ErrorCode::authorization;
  }
  if (says("stale connection")) return ErrorCode::stale_connection;
  if (says("maximum payload")) return ErrorCode::payload_too_large;
  if (says("exceeded") || says("throttling")) return ErrorCode::limit_reached;
  if (says("invalid subject") || says("invalid publish subject") || says("invalid subscription")) {
    return ErrorCode::invalid_subject;
  }
  if (says("slow consumer")) return ErrorCode::slow_consumer;
  return ErrorCode::protocol;
}

}  // namespace martlet::client
