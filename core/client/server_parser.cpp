// SPDX-License-Identifier: Apache-2.0
//
// Owns the grammar of server operations. The common case, MSG, is one memchr for the line's end and
// one pass over it.
#include "client/server_parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace martlet::client {
namespace {

constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }

// Splits at runs of blanks. A message has at most five arguments.
struct Arguments {
  std::string_view items[5];
  int count = 0;
  bool too_many = false;
};

Arguments split(const char* at, const char* end) {
  Arguments arguments;
  while (at < end) {
    if (is_blank(*at)) {
      ++at;
      continue;
    }
    const char* const start = at;
    while (at < end && !is_blank(*at)) ++at;
    if (arguments.count == 5) {
      arguments.too_many = true;
      return arguments;
    }
    arguments.items[arguments.count++] = {start, static_cast<size_t>(at - start)};
  }
  return arguments;
}

// A number of at most 18 digits; -1 if it is none.
int64_t number(std::string_view text) {
  if (text.empty() || text.size() > 18) return -1;
  int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

bool is_verb(const char* at, const char* end, std::string_view verb) {
  if (static_cast<size_t>(end - at) < verb.size()) return false;
  for (size_t i = 0; i < verb.size(); ++i) {
    if ((at[i] & ~0x20) != verb[i]) return false;
  }
  return true;
}

std::string shown(const char* at, const char* end) {
  std::string text(at, std::min<size_t>(static_cast<size_t>(end - at), 60));
  std::replace_if(text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

Error bad(const char* what, const char* at, const char* end) {
  return Error{ErrorCode::protocol,
               fmt::format("the server sent {}: \"{}\"", what, shown(at, end))};
}

struct Line {
  ServerMessage message;
  size_t payload_bytes = 0;
  size_t headers_bytes = 0;
};

// `at` is behind the verb. False when the line is none.
bool read_message_line(const char* at, const char* end, bool with_headers, Line* line) {
  const Arguments arguments = split(at, end);
  const int fixed = with_headers ? 4 : 3;
  if (arguments.too_many || arguments.count < fixed || arguments.count > fixed + 1) return false;
  line->message.subject = arguments.items[0];
  line->message.sid = number(arguments.items[1]);
  if (arguments.count > fixed) line->message.reply = arguments.items[2];
  const int64_t total = number(arguments.items[arguments.count - 1]);
  const int64_t headers = with_headers ? number(arguments.items[arguments.count - 2]) : 0;
  if (line->message.sid < 0 || total < 0 || headers < 0 || headers > total) return false;
  if (total > static_cast<int64_t>(ServerParser::message_bytes_max)) return false;
  line->payload_bytes = static_cast<size_t>(total);
  line->headers_bytes = static_cast<size_t>(headers);
  return true;
}

// At the first blank or line end from `at` on; there is one.
const char* skip_word(const char* at) {
  while (static_cast<unsigned char>(*at) > ' ') ++at;
  return at;
}

// A number and what ends it; -1 when there is none, or more digits than any that is meant.
int64_t read_number(const char** at) {
  const char* const start = *at;
  uint64_t value = 0;
  unsigned digit = 0;
  for (; (digit = static_cast<unsigned char>(**at) - unsigned{'0'}) <= 9; ++*at)
    value = value * 10 + digit;
  const auto digits = *at - start;
  return digits >= 1 && digits <= 18 ? static_cast<int64_t>(value) : -1;
}

// MSG as servers write it: one space between its parts, and CR LF. `at` is behind "MSG ", and an LF
// follows somewhere. True: all of `line` is filled in but what stands in the payload. False: it may
// still be a message, in another form.
bool read_usual_message_line(const char* at, Line* line) {
  line->message.reply = {};
  line->headers_bytes = 0;
  const char* const subject_end = skip_word(at);
  line->message.subject = {at, static_cast<size_t>(subject_end - at)};
  if (*subject_end != ' ' || subject_end == at) return false;
  at = subject_end + 1;
  line->message.sid = read_number(&at);
  if (*at != ' ' || line->message.sid < 0) return false;
  const char* const third = ++at;
  int64_t total = read_number(&at);
  if (*at != '\r') {  // No number, or one that is followed by something: the reply.
    const char* const reply_end = skip_word(at);
    if (*reply_end != ' ' || reply_end == third) return false;
    line->message.reply = {third, static_cast<size_t>(reply_end - third)};
    at = reply_end + 1;
    total = read_number(&at);
  }
  if (at[0] != '\r' || at[1] != '\n' || total < 0) return false;
  if (total > static_cast<int64_t>(ServerParser::message_bytes_max)) return false;
  line->payload_bytes = static_cast<size_t>(total);
  return true;
}

std::string_view error_text(const char* at, const char* end) {
  while (at < end && is_blank(*at)) ++at;
  while (end > at && is_blank(end[-1])) --end;
  if (end - at >= 2 && *at == '\'' && end[-1] == '\'') {
    ++at;
    --end;
  }
  return {at, static_cast<size_t>(end - at)};
}

// The operations that are one line.
Status read_plain_line(const char* at, const char* end, ServerOperations& operations) {
  if (is_verb(at, end, "PING")) {
    operations.on_ping();
  } else if (is_verb(at, end, "PONG")) {
    operations.on_pong();
  } else if (end - at >= 3 && at[0] == '+' && is_verb(at + 1, end, "OK")) {
    // Only verbose connections get these; they say nothing that a PONG would not say.
  } else if (end - at >= 4 && at[0] == '-' && is_verb(at + 1, end, "ERR")) {
    operations.on_error(error_text(at + 4, end));
  } else if (is_verb(at, end, "INFO")) {
    operations.on_info(error_text(at + 4, end));
  } else {
    return bad("an unknown operation", at, end);
  }
  return Status();
}

// Answers whether it is a message, whose line then is filled in; all else is done.
Result<bool> read_other_line(const char* at, const char* line_end, ServerOperations& operations,
                             Line* line) {
  const bool is_plain_message =
      is_verb(at, line_end, "MSG") && line_end - at > 3 && is_blank(at[3]);
  const bool is_headers_message =
      !is_plain_message && is_verb(at, line_end, "HMSG") && line_end - at > 4 && is_blank(at[4]);
  if (!is_plain_message && !is_headers_message) {
    Status status = read_plain_line(at, line_end, operations);
    if (!status) return status.take_error();
    return false;
  }
  if (!read_message_line(at + (is_headers_message ? 5 : 4), line_end, is_headers_message, line)) {
    return bad("a malformed message", at, line_end);
  }
  return true;
}

}  // namespace

Result<ServerParser::Progress> ServerParser::parse(const char* data, size_t bytes,
                                                   ServerOperations& operations) const {
  const char* at = data;
  const char* const end = data + bytes;
  Progress progress;
  Line line;  // Outside: clearing all of it for each message costs more than reading its line.
  while (at < end && !operations.is_over()) {
    const char* const newline =
        static_cast<const char*>(std::memchr(at, '\n', static_cast<size_t>(end - at)));
    if (newline == nullptr) {
      if (static_cast<size_t>(end - at) > line_bytes_max)
        return bad("a line without an end", at, end);
      progress.bytes_needed = static_cast<size_t>(end - at) + 1;
      break;
    }
    const char* const line_end = newline > at && newline[-1] == '\r' ? newline - 1 : newline;
    const bool is_usual = line_end - at > 4 && std::memcmp(at, "MSG ", 4) == 0 &&
                          read_usual_message_line(at + 4, &line);
    if (!is_usual) {
      line = Line();
      const Result<bool> is_message = read_other_line(at, line_end, operations, &line);
      if (!is_message) return is_message.error();
      if (!*is_message) {
        at = newline + 1;
        continue;
      }
    }
    const char* const payload = newline + 1;
    const size_t all = static_cast<size_t>(payload - at) + line.payload_bytes + 2;
    if (static_cast<size_t>(end - at) < all) {
      progress.bytes_needed = all;
      break;
    }
    if (payload[line.payload_bytes] != '\r' || payload[line.payload_bytes + 1] != '\n') {
      return bad("a payload of another length than it said", at, line_end);
    }
    line.message.headers = {payload, line.headers_bytes};
    line.message.data = {payload + line.headers_bytes, line.payload_bytes - line.headers_bytes};
    if (!operations.on_message(line.message)) {
      progress.blocked = true;
      break;
    }
    at += all;
  }
  progress.consumed = static_cast<size_t>(at - data);
  return progress;
}

}  // namespace martlet::client
