// SPDX-License-Identifier: Apache-2.0
//
// Goal: no bytes of a client make the parser read what it was not given, go back, stand still, or
// tell something else because of where the bytes were split. Method: the input is parsed in one
// piece and again in pieces that its first bytes dictate, each from memory of exactly its size and
// the promised slack; both must tell the same operations and the same end.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.hpp"
#include "protocol/parser.hpp"

namespace {

using namespace martlet::protocol;

struct Telling {
  std::vector<std::string> operations;
  ParseResult end = ParseResult::incomplete;
};

void append(std::string& text, std::string_view part) {
  text += '|';
  text += part;
}

std::string told(const Operation& operation) {
  std::string text = std::to_string(static_cast<int>(operation.kind));
  append(text, operation.has_headers ? "headers" : "");
  append(text, std::to_string(operation.header_bytes));
  append(text, std::to_string(operation.max));
  for (const std::string_view part : {operation.subject, operation.reply, operation.queue,
                                      operation.sid, operation.payload, operation.argument}) {
    append(text, part);
  }
  return text;
}

void check(const Operation& operation, const char* begin, const char* end) {
  for (const std::string_view part : {operation.subject, operation.reply, operation.queue,
                                      operation.sid, operation.payload, operation.argument}) {
    if (!part.empty()) MARTLET_ASSERT(part.data() >= begin && part.data() + part.size() <= end);
  }
  MARTLET_ASSERT(operation.header_bytes <= operation.payload.size());
}

/// From memory without slack: a look ahead reads nothing behind the end.
void check_peek(const char* begin, const char* end) {
  const std::vector<char> shown(begin, end);
  std::string_view subject;
  const char* const next = peek_publish(shown.data(), shown.data() + shown.size(), subject);
  if (next == nullptr) return;
  MARTLET_ASSERT(next > shown.data() && next <= shown.data() + shown.size());
  MARTLET_ASSERT(subject.data() >= shown.data() && subject.data() + subject.size() <= next);
}

/// Parses what `input` shows `piece_bytes` at a time, as a connection does that reads so much.
class Reader {
 public:
  explicit Reader(const ParserLimits& limits) : parser_(limits) {}

  /// False at the end of the connection.
  bool take(std::string_view piece, Telling& telling) {
    kept_.append(piece);
    return kept_.size() < needed_ || parse(telling);
  }
  /// Shows what is left, although the parser asked for more: what is wrong already may be told now.
  bool finish(Telling& telling) { return parse(telling); }

 private:
  bool parse(Telling& telling) {
    // A block of its own, so that a sanitizer sees every read beyond the slack.
    std::vector<char> block(kept_.size() + Parser::slack_bytes, '\x7e');
    std::memcpy(block.data(), kept_.data(), kept_.size());
    const char* begin = block.data();
    const char* const end = begin + kept_.size();
    while (true) {
      check_peek(begin, end);
      Operation operation;
      size_t consumed = 0;
      size_t needed = 0;
      const ParseResult result = parser_.next(begin, end, operation, consumed, needed);
      MARTLET_ASSERT(consumed <= static_cast<size_t>(end - begin));
      if (result == ParseResult::operation) {
        MARTLET_ASSERT(consumed > 0);
        check(operation, block.data(), end);
        telling.operations.push_back(told(operation));
        if (operation.kind == OperationKind::connect) parser_.limits().connect_required = false;
        begin += consumed;
        continue;
      }
      telling.end = result;
      if (result != ParseResult::incomplete) return false;
      begin += consumed;
      kept_.assign(begin, end);
      needed_ = needed;
      MARTLET_ASSERT(kept_.empty() || needed_ > kept_.size());
      return true;
    }
  }

  Parser parser_;
  std::string kept_;
  size_t needed_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  ParserLimits limits;
  limits.headers = (data[0] & 1) != 0;
  limits.connect_required = (data[0] & 2) != 0;
  limits.payload_bytes_max = (data[0] & 4) != 0 ? 100 : -1;
  const size_t piece_bytes = 1 + data[1];
  const std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);

  Telling whole;
  Reader(limits).take(input, whole);
  Telling split;
  Reader reader(limits);
  bool is_open = true;
  for (size_t at = 0; is_open && at < input.size(); at += piece_bytes) {
    is_open = reader.take(input.substr(at, piece_bytes), split);
  }
  if (is_open) reader.finish(split);
  MARTLET_ASSERT(whole.operations == split.operations);
  MARTLET_ASSERT(whole.end == split.end);
  return 0;
}
