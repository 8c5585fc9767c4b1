// SPDX-License-Identifier: Apache-2.0
//
// Owns the words of a publish's line.
#include "client/publish_line.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstring>

#include "client/connection.hpp"
#include "subject/subject.hpp"

namespace martlet::client {
namespace {

constexpr std::string_view plain_verb = "PUB ";

char* put_number(char* to, size_t value) { return std::to_chars(to, to + 20, value).ptr; }

}  // namespace

Status check_subjects(const PublishView& m) {
  if (!subject::is_valid_literal(m.subject)) {
    return Status(ErrorCode::invalid_subject,
                  fmt::format("\"{}\" cannot be published to: {}", m.subject,
                              subject::fault_of(m.subject, true)));
  }
  if (!m.reply.empty() && !subject::is_valid_literal(m.reply)) {
    return Status(ErrorCode::invalid_subject,
                  fmt::format("\"{}\" cannot be a reply subject: {}", m.reply,
                              subject::fault_of(m.reply, true)));
  }
  if (m.subject.size() + m.reply.size() > line_subjects_bytes_max) {
    return Status(ErrorCode::invalid_subject,
                  fmt::format("subject and reply have {} bytes, above the {} of a server's line",
                              m.subject.size() + m.reply.size(), line_subjects_bytes_max));
  }
  return Status();
}

char* put_publish_line(char* to, const PublishView& m) {
  to = put(to, m.headers.empty() ? plain_verb : std::string_view("HPUB "));
  to = put(to, m.subject);
  *to++ = ' ';
  if (!m.reply.empty()) {
    to = put(to, m.reply);
    *to++ = ' ';
  }
  if (!m.headers.empty()) {
    to = put_number(to, m.headers.size());
    *to++ = ' ';
  }
  to = put_number(to, m.headers.size() + m.data.size());
  return put(to, "\r\n");
}

bool LastPublishLine::is_of(const PublishView& m) const {
  return line_size_ != 0 && m.data.size() == payload_size_ && m.subject.size() == subject_size_ &&
         m.reply.empty() && m.headers.empty() &&
         std::memcmp(m.subject.data(), bytes_.data() + plain_verb.size(), subject_size_) == 0;
}

void LastPublishLine::keep(std::string_view line, const PublishView& m) {
  if (line.size() > bytes_.size() || !m.reply.empty() || !m.headers.empty()) return;
  std::memcpy(bytes_.data(), line.data(), line.size());
  line_size_ = static_cast<uint8_t>(line.size());
  subject_size_ = static_cast<uint8_t>(m.subject.size());
  payload_size_ = m.data.size();
}

}  // namespace martlet::client
