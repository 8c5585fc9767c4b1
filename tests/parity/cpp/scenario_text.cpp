// SPDX-License-Identifier: Apache-2.0
//
// Owns the texts of scenarios and transcripts; here too Boost.JSON is compiled for this program.
#include "scenario_text.hpp"

#include <boost/json/src.hpp>
#include <cstdio>

namespace martlet::parity {
namespace {

std::string without_inbox(const std::string& subject) {
  return subject.rfind("_INBOX.", 0) == 0 ? "_INBOX" : subject;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool has_line_end(std::string_view text) {
  return text.find_first_of("\r\n") != std::string_view::npos;
}

std::string shown_data(const std::string& data) {
  bool plain = data.size() <= 64;
  for (const char c : data) plain = plain && c >= 0x20 && c <= 0x7e;
  if (plain) return data;
  return std::to_string(data.size()) + " bytes, fnv " + fnv_text(data);
}

void show_headers(std::string_view block, json::object& out) {
  json::object headers;
  size_t end = block.find("\r\n");
  const std::string_view first = trimmed(block.substr(0, end).substr(8));
  if (first.size() >= 3) out["status"] = std::stoll(std::string(first.substr(0, 3)));
  while (end != std::string_view::npos) {
    const size_t begin = end + 2;
    end = block.find("\r\n", begin);
    const std::string_view line = block.substr(begin, end - begin);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    json::value& values = headers[line.substr(0, colon)];
    if (!values.is_array()) values = json::array();
    values.as_array().emplace_back(trimmed(line.substr(colon + 1)));
  }
  if (!headers.empty()) out["headers"] = std::move(headers);
}

}  // namespace

std::string fnv_text(std::string_view data) {
  uint32_t hash = 0x811c9dc5u;
  for (const char c : data) hash = (hash ^ static_cast<unsigned char>(c)) * 0x01000193u;
  char text[9];
  std::snprintf(text, sizeof(text), "%08x", hash);
  return text;
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
    text.replace(at, what.size(), with);
    at += with.size();
  }
  return text;
}

std::string payload_of(const json::object& step, const Message* message, int64_t number) {
  std::string data;
  if (step.contains("size")) {
    for (int64_t i = 0; i < number_of(step, "size", 0); ++i) {
      data.push_back(static_cast<char>('a' + i % 26));
    }
  } else if (step.contains("hex")) {
    const std::string digits = text_of(step, "hex");
    for (size_t i = 0; i + 1 < digits.size(); i += 2) {
      data.push_back(static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16)));
    }
  } else {
    data = replaced(text_of(step, "data"), "{n}", std::to_string(number));
    if (message != nullptr) data = replaced(data, "{data}", message->data);
  }
  return data;
}

std::string header_block_of(const json::object& step) {
  const json::value* const headers = step.if_contains("headers");
  if (headers == nullptr) return {};
  std::string block = "NATS/1.0\r\n";
  for (const json::key_value_pair& entry : headers->as_object()) {
    for (const json::value& value : entry.value().as_array()) {
      // In a block these would be another header: whoever builds one has to look.
      if (entry.key().find(':') != std::string_view::npos || has_line_end(entry.key()) ||
          has_line_end(value.as_string())) {
        throw cpp::Error(MARTLET_ERR_INVALID_ARGUMENT, "a header that cannot be");
      }
      block.append(entry.key()).append(": ").append(value.as_string()).append("\r\n");
    }
  }
  return block + "\r\n";
}

json::value shown(const Message& message) {
  json::object out;
  out["subject"] = without_inbox(message.subject);
  if (!message.reply.empty()) out["reply"] = without_inbox(message.reply);
  if (!message.headers.empty()) show_headers(message.headers, out);
  out["data"] = shown_data(message.data);
  return out;
}

}  // namespace martlet::parity
