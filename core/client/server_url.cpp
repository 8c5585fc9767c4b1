// SPDX-License-Identifier: Apache-2.0
//
// Owns the parsing of server addresses.
#include "client/server_url.hpp"

#include <fmt/format.h>

namespace martlet::client {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// %40 and the like; false on a broken escape.
bool decode_percent(std::string_view text, std::string* out) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out->push_back(text[i]);
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low < 0) return false;
    out->push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return true;
}

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// Credentials are never shown in an error.
Error bad(std::string_view host_part, std::string_view why) {
  return Error{ErrorCode::invalid_options, fmt::format("server URL \"{}\": {}", host_part, why)};
}

Status read_port(std::string_view text, std::string_view host_part, uint16_t* out_port) {
  uint32_t port = 0;
  if (text.empty()) return bad(host_part, "the port is missing behind the colon");
  for (const char c : text) {
    if (c < '0' || c > '9') return bad(host_part, "the port is not a number");
    port = port * 10 + static_cast<uint32_t>(c - '0');
    if (port > 65535) return bad(host_part, "the port is above 65535");
  }
  if (port == 0) return bad(host_part, "the port is 0");
  *out_port = static_cast<uint16_t>(port);
  return Status();
}

Status read_host(std::string_view text, ServerUrl* url) {
  if (text.empty()) return bad(text, "the host is missing");
  std::string_view rest;
  if (text.front() == '[') {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return bad(text, "a bracket is not closed");
    url->host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
  } else {
    const size_t colon = text.find(':');
    if (colon != std::string_view::npos && text.find(':', colon + 1) != std::string_view::npos) {
      return bad(text, "an IPv6 address needs brackets");
    }
    url->host = text.substr(0, colon);
    if (colon != std::string_view::npos) rest = text.substr(colon);
  }
  if (url->host.empty()) return bad(text, "the host is missing");
  if (url->host.find_first_of(" \t/?#@") != std::string::npos)
    return bad(text, "the host has a strange character");
  if (rest.empty()) return Status();
  if (rest.front() != ':') return bad(text, "there is something behind the address");
  return read_port(rest.substr(1), text, &url->port);
}

}  // namespace

std::string ServerUrl::text() const {
  if (host.find(':') != std::string::npos) return fmt::format("nats://[{}]:{}", host, port);
  return fmt::format("nats://{}:{}", host, port);
}

Result<ServerUrl> parse_server_url(std::string_view text) {
  text = trimmed(text);
  const size_t scheme_end = text.find("://");
  if (scheme_end != std::string_view::npos) {
    const std::string_view scheme = text.substr(0, scheme_end);
    if (scheme == "tls" || scheme == "ws" || scheme == "wss") {
      return Error{
          ErrorCode::unsupported,
          fmt::format("server URL with {}://: this version connects over plain TCP only", scheme)};
    }
    if (scheme != "nats" && scheme != "tcp") {
      return Error{ErrorCode::invalid_options,
                   fmt::format("server URL with {}://: only nats:// is known", scheme)};
    }
    text.remove_prefix(scheme_end + 3);
  }
  ServerUrl url;
  const size_t at = text.rfind('@');
  std::string_view host_part = at == std::string_view::npos ? text : text.substr(at + 1);
  if (at != std::string_view::npos) {
    const std::string_view credentials = text.substr(0, at);
    const size_t colon = credentials.find(':');
    url.has_password = colon != std::string_view::npos;
    if (!decode_percent(credentials.substr(0, colon), &url.user) ||
        (url.has_password && !decode_percent(credentials.substr(colon + 1), &url.password))) {
      return bad(host_part, "the credentials have a broken percent escape");
    }
  }
  if (host_part.ends_with('/')) host_part.remove_suffix(1);
  Status status = read_host(host_part, &url);
  if (!status) return status.take_error();
  return url;
}

Result<std::vector<ServerUrl>> parse_server_urls(std::string_view text) {
  std::vector<ServerUrl> urls;
  for (size_t start = 0; start <= text.size();) {
    const size_t comma = std::min(text.find(',', start), text.size());
    Result<ServerUrl> url = parse_server_url(text.substr(start, comma - start));
    if (!url) return url.take_error();
    urls.push_back(std::move(*url));
    start = comma + 1;
  }
  return urls;
}

}  // namespace martlet::client
