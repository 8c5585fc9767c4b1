// SPDX-License-Identifier: Apache-2.0
//
// Owns the building and reading of header blocks.
#include "client/header_block.hpp"

#include <fmt/format.h>

namespace martlet::client {
namespace {

constexpr std::string_view version = "NATS/1.0";
constexpr std::string_view line_end = "\r\n";

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

Status check_key(std::string_view key) {
  if (key.empty()) return Status(ErrorCode::invalid_argument, "a header has no key");
  for (const char c : key) {
    if (c <= ' ' || c == ':' || c > '~') {  // Printable ASCII, whatever a char's sign.
      return Status(ErrorCode::invalid_argument,
                    fmt::format("the header key \"{}\" has a forbidden character", key));
    }
  }
  return Status();
}

// The line behind the version, and what follows it.
std::string_view status_line(std::string_view block) {
  if (!block.starts_with(version)) return {};
  const size_t end = block.find(line_end);
  return trimmed(
      block.substr(version.size(), end == std::string_view::npos ? end : end - version.size()));
}

}  // namespace

Status HeaderBlockBuilder::add(std::string_view key, std::string_view value) {
  Status status = check_key(key);
  if (!status) return status;
  if (value.find_first_of("\r\n") != std::string_view::npos) {
    return Status(ErrorCode::invalid_argument,
                  fmt::format("the value of the header \"{}\" has a line break", key));
  }
  lines_.append(key).append(": ").append(value).append(line_end);
  return Status();
}

std::string HeaderBlockBuilder::text() const {
  if (lines_.empty()) return std::string();
  return fmt::format("{}\r\n{}\r\n", version, lines_);
}

Status check_header_block(std::string_view block) {
  if (!block.starts_with(version)) {
    return Status(ErrorCode::invalid_argument, "a header block does not begin with NATS/1.0");
  }
  if (!block.ends_with("\r\n\r\n")) {
    return Status(ErrorCode::invalid_argument, "a header block does not end with an empty line");
  }
  size_t at = block.find(line_end) + 2;
  const size_t last = block.size() - 2;
  while (at < last) {
    const size_t end = block.find(line_end, at);
    const std::string_view line = block.substr(at, end - at);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
      return Status(ErrorCode::invalid_argument,
                    fmt::format("the header line \"{}\" has no colon", line));
    }
    Status status = check_key(line.substr(0, colon));
    if (!status) return status;
    if (line.find_first_of("\r\n") != std::string_view::npos) {
      return Status(ErrorCode::invalid_argument, "a header value has a line break");
    }
    at = end + 2;
  }
  if (at != last) return Status(ErrorCode::invalid_argument, "an empty line inside a header block");
  return Status();
}

int32_t header_status(std::string_view block) {
  const std::string_view line = status_line(block);
  if (line.size() < 3) return 0;
  int32_t status = 0;
  for (size_t i = 0; i < 3; ++i) {
    if (line[i] < '0' || line[i] > '9') return 0;
    status = status * 10 + (line[i] - '0');
  }
  return status;
}

std::string_view header_description(std::string_view block) {
  if (header_status(block) == 0) return {};
  return trimmed(status_line(block).substr(3));
}

bool find_header(std::string_view block, std::string_view key, std::string_view* out_value) {
  bool found = false;
  for_each_header(block, [&](std::string_view k, std::string_view v) {
    if (found || k != key) return;
    found = true;
    *out_value = v;
  });
  return found;
}

void for_each_header(
    std::string_view block,
    const std::function<void(std::string_view key, std::string_view value)>& take) {
  size_t at = block.find(line_end);
  if (at == std::string_view::npos) return;
  at += 2;
  while (at < block.size()) {
    const size_t end = std::min(block.find(line_end, at), block.size());
    if (end == at) return;
    const std::string_view line = block.substr(at, end - at);
    const size_t colon = line.find(':');
    if (colon != std::string_view::npos)
      take(line.substr(0, colon), trimmed(line.substr(colon + 1)));
    at = end + 2;
  }
}

}  // namespace martlet::client
