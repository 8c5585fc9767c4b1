// SPDX-License-Identifier: Apache-2.0
//
// Owns the writing of INFO.
#include "protocol/server_info.hpp"

#include "base/json.hpp"

namespace martlet::protocol {
namespace {

class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  void text(const char* key, std::string_view value) {
    start(key);
    append_json_string(out_, value);
  }
  void number(const char* key, int64_t value) {
    start(key);
    out_ += std::to_string(value);
  }
  void flag(const char* key, bool value) {
    start(key);
    out_ += value ? "true" : "false";
  }
  void texts(const char* key, const std::vector<std::string>& values) {
    start(key);
    out_ += '[';
    for (size_t i = 0; i < values.size(); i++) {
      if (i > 0) out_ += ',';
      append_json_string(out_, values[i]);
    }
    out_ += ']';
  }
  void end() { out_ += '}'; }

 private:
  void start(const char* key) {
    if (out_.back() != '{') out_ += ',';
    out_ += '"';
    out_ += key;
    out_ += "\":";
  }
  std::string& out_;
};

}  // namespace

std::string encode_info(const ServerInfo& info) {
  std::string out = "INFO ";
  ObjectWriter object(out);
  object.text("server_id", info.server_id);
  object.text("server_name", info.server_name);
  object.text("version", nats_level);
  object.number("proto", 1);
  if (!info.git_commit.empty()) object.text("git_commit", info.git_commit);
  object.text("go", "");
  object.text("host", info.host);
  object.number("port", info.port);
  object.flag("headers", info.headers);
  if (info.auth_required) object.flag("auth_required", true);
  object.number("max_payload", info.max_payload);
  if (!info.ip.empty()) object.text("ip", info.ip);
  if (info.client_id != 0) object.number("client_id", static_cast<int64_t>(info.client_id));
  if (!info.client_ip.empty()) object.text("client_ip", info.client_ip);
  if (!info.connect_urls.empty()) object.texts("connect_urls", info.connect_urls);
  if (info.connect_info) object.flag("connect_info", true);
  if (!info.remote_account.empty()) object.text("remote_account", info.remote_account);
  object.end();
  out += " \r\n";
  return out;
}

}  // namespace martlet::protocol
