// SPDX-License-Identifier: Apache-2.0
//
// Owns the reading of CONNECT.
#include "protocol/connect_options.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "base/json.hpp"
#include "base/json_walk.hpp"
#include "base/trimmed.hpp"

namespace martlet::protocol {
namespace {

constexpr size_t depth_max = 10000;

// Go folds two signs besides the letters: the Kelvin sign is a k, the long s is an s.
std::string lower_case(std::string_view text) {
  constexpr std::string_view kelvin = "\xe2\x84\xaa";
  constexpr std::string_view long_s = "\xc5\xbf";
  std::string lower;
  while (!text.empty()) {
    if (text.starts_with(kelvin)) {
      lower += 'k';
      text.remove_prefix(kelvin.size());
    } else if (text.starts_with(long_s)) {
      lower += 's';
      text.remove_prefix(long_s.size());
    } else {
      const char c = text.front();
      lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      text.remove_prefix(1);
    }
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

// One value out of a text that is JSON; of an object or an array only that it is one.
json::value read_value(std::string_view text) {
  if (text.starts_with('{')) return json::object();
  if (text.starts_with('[')) return json::array();
  json::parse_options rules;
  rules.allow_invalid_utf8 = true;
  boost::system::error_code error;
  json::value value = json::parse(json::string_view(text.data(), text.size()), error, {}, rules);
  if (error && text.find("\\u") != std::string_view::npos)
    value = json::parse(without_lone_surrogates(text), error, {}, rules);
  // What is left are numbers beyond measure: such a one fits no key of ours, as an array does not.
  return error ? json::value(json::array()) : value;
}

/// The members of an object, each as often as it is given, the keys in lower case.
class Pairs {
 public:
  explicit Pairs(std::string_view object) : members_(object) {}
  bool next(std::string& key, std::string_view& value) {
    std::string_view written;
    if (!members_.next(written, value)) return false;
    const json::value name = read_value(written);
    key = name.is_string() ? lower_case(std::string_view(name.get_string())) : std::string();
    return true;
  }

 private:
  JsonMembers members_;
};

// Every element one that `fits`, or null.
template <typename Fits>
bool is_array_of(std::string_view text, Fits fits) {
  if (!text.starts_with('[')) return false;
  std::string_view no_key;
  std::string_view element;
  for (JsonMembers elements(text); elements.next(no_key, element);) {
    const json::value value = read_value(element);
    if (!value.is_null() && !fits(value)) return false;
  }
  return true;
}

bool is_text_array(std::string_view text) {
  return is_array_of(text, [](const json::value& value) { return value.is_string(); });
}

bool is_subject_permission(std::string_view text) {
  if (!text.starts_with('{')) return false;
  std::string key;
  std::string_view value;
  for (Pairs pairs(text); pairs.next(key, value);) {
    if ((key == "allow" || key == "deny") && value != "null" && !is_text_array(value)) return false;
  }
  return true;
}

}  // namespace

Status read_connect(std::string_view text, ConnectOptions& options) {
  if (!is_json(text, depth_max)) return Status(ErrorCode::protocol, "CONNECT is not JSON");
  const std::string_view object = trimmed(text, json_blanks);
  if (object == "null") return Status();
  if (!object.starts_with('{')) return Status(ErrorCode::protocol, "CONNECT is not a JSON object");
  std::string key;
  std::string_view value;
  for (Pairs pairs(object); pairs.next(key, value);) {
    const bool is_permission = key == "import" || key == "export";
    const bool fits = is_permission ? value == "null" || is_subject_permission(value)
                                    : read_key(key, read_value(value), options);
    if (!fits) return Status(ErrorCode::protocol, "CONNECT has a wrong type at \"" + key + "\"");
  }
  return Status();
}

namespace {

enum class InfoType : uint8_t { text, flag, integer, int32, uint64, byte, texts, bytes, subjects };

struct InfoKey {
  std::string_view name;
  InfoType type;
};

// A client has no reason to send one, but a wrong one ends the connection: also the keys between
// servers count.
constexpr InfoKey info_keys[] = {
    {"server_id", InfoType::text},
    {"server_name", InfoType::text},
    {"version", InfoType::text},
    {"proto", InfoType::integer},
    {"git_commit", InfoType::text},
    {"go", InfoType::text},
    {"host", InfoType::text},
    {"port", InfoType::integer},
    {"headers", InfoType::flag},
    {"auth_required", InfoType::flag},
    {"tls_required", InfoType::flag},
    {"tls_verify", InfoType::flag},
    {"tls_available", InfoType::flag},
    {"max_payload", InfoType::int32},
    {"jetstream", InfoType::flag},
    {"ip", InfoType::text},
    {"client_id", InfoType::uint64},
    {"client_ip", InfoType::text},
    {"nonce", InfoType::text},
    {"cluster", InfoType::text},
    {"cluster_dynamic", InfoType::flag},
    {"domain", InfoType::text},
    {"connect_urls", InfoType::texts},
    {"ws_connect_urls", InfoType::texts},
    {"ldm", InfoType::flag},
    {"compression", InfoType::text},
    {"connect_info", InfoType::flag},
    {"remote_account", InfoType::text},
    {"acc_is_sys", InfoType::flag},
    {"api_lvl", InfoType::integer},
    {"import", InfoType::subjects},
    {"export", InfoType::subjects},
    {"lnoc", InfoType::flag},
    {"lnocu", InfoType::flag},
    {"ln", InfoType::flag},
    {"info_on_connect", InfoType::flag},
    {"route_pool_size", InfoType::integer},
    {"route_pool_idx", InfoType::integer},
    {"route_account", InfoType::text},
    {"route_acc_add_reqid", InfoType::text},
    {"gossip_mode", InfoType::byte},
    {"gateway", InfoType::text},
    {"gateway_urls", InfoType::texts},
    {"gateway_url", InfoType::text},
    {"gateway_cmd", InfoType::byte},
    {"gateway_cmd_payload", InfoType::bytes},
    {"gateway_nrp", InfoType::flag},
    {"gateway_iom", InfoType::flag},
    {"leafnode_urls", InfoType::texts},
    {"xkey", InfoType::text},
};

bool is_byte(const json::value& value) {
  return value.is_int64() && value.get_int64() >= 0 && value.get_int64() <= UINT8_MAX;
}

// Base 64 as Go's decoder takes it: padded, line ends anywhere.
bool is_base64(std::string_view text) {
  size_t digits = 0;
  size_t paddings = 0;
  for (const char c : text) {
    if (c == '\r' || c == '\n') continue;
    const bool is_digit =
        (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '+' || c == '/';
    if (c == '=') {
      paddings += 1;
    } else if (!is_digit || paddings > 0) {
      return false;
    } else {
      digits += 1;
    }
  }
  return paddings <= 2 && (digits + paddings) % 4 == 0;
}

bool fits_info(InfoType type, std::string_view text) {
  const json::value value = read_value(text);
  if (value.is_null()) return true;
  switch (type) {
    case InfoType::text:
      return value.is_string();
    case InfoType::flag:
      return value.is_bool();
    case InfoType::integer:
      return value.is_int64();
    case InfoType::int32:
      return value.is_int64() && value.get_int64() >= INT32_MIN && value.get_int64() <= INT32_MAX;
    case InfoType::uint64:
      return value.is_uint64() || (value.is_int64() && value.get_int64() >= 0);
    case InfoType::byte:
      return is_byte(value);
    case InfoType::texts:
      return is_text_array(text);
    case InfoType::bytes:
      return value.is_string() ? is_base64(std::string_view(value.get_string()))
                               : is_array_of(text, is_byte);
    case InfoType::subjects:
      return is_subject_permission(text);
  }
  return false;
}

}  // namespace

bool is_info(std::string_view text) {
  if (!is_json(text, depth_max)) return false;
  const std::string_view object = trimmed(text, json_blanks);
  if (object == "null") return true;
  if (!object.starts_with('{')) return false;
  std::string key;
  std::string_view value;
  for (Pairs pairs(object); pairs.next(key, value);) {
    const InfoKey* const known = std::find_if(std::begin(info_keys), std::end(info_keys),
                                              [&](const InfoKey& one) { return one.name == key; });
    if (known != std::end(info_keys) && !fits_info(known->type, value)) return false;
  }
  return true;
}

}  // namespace martlet::protocol
