// SPDX-License-Identifier: Apache-2.0
//
// Owns the parser: a short way for the publish that everybody sends (a line within 32 bytes, single
// spaces), and a long way for everything else. Both follow the rules observed on
// nats-server 2.15.2; tests/conformance holds them as transcripts.
#include "protocol/parser.hpp"

#include <algorithm>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace martlet::protocol {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

char lower(char c) { return static_cast<char>(c | 0x20); }

struct Verb {
  const char* text;  // Lower case.
  OperationKind kind;
  enum Follow : uint8_t { blank, anything, rest } follow;  // What must stand behind it.
};

constexpr Verb verbs[] = {
    {"pub", OperationKind::publish, Verb::blank},
    {"hpub", OperationKind::publish, Verb::blank},
    {"hmsg", OperationKind::peer_publish, Verb::blank},
    {"sub", OperationKind::subscribe, Verb::blank},
    {"unsub", OperationKind::unsubscribe, Verb::blank},
    {"ping", OperationKind::ping, Verb::rest},
    {"pong", OperationKind::pong, Verb::rest},
    {"connect", OperationKind::connect, Verb::anything},
    {"info", OperationKind::info, Verb::anything},
    {"+ok", OperationKind::ok, Verb::rest},
    {"-err", OperationKind::error, Verb::blank},
};

// The verb that [begin, end) starts with. `partial`: the bytes end inside of what may still become
// one.
const Verb* find_verb(const char* begin, const char* end, bool& partial) {
  partial = false;
  for (const Verb& verb : verbs) {
    const char* at = begin;
    const char* expected = verb.text;
    while (at < end && *expected != '\0') {
      const char c = *at;
      const bool equal = (*expected >= 'a' && *expected <= 'z') ? (lower(c) == *expected && c > '@')
                                                                : c == *expected;
      if (!equal) break;
      at += 1;
      expected += 1;
    }
    if (*expected == '\0') return &verb;
    if (at == end) {
      partial = true;
      return nullptr;
    }
  }
  return nullptr;
}

// Splits at blanks; answers how many pieces there are, of which at most `pieces_max` are stored.
int split(const char* at, const char* end, bool also_line_ends, std::string_view* pieces,
          int pieces_max) {
  int count = 0;
  while (at < end) {
    while (at < end && (is_blank(*at) || (also_line_ends && *at == '\r'))) at += 1;
    if (at == end) break;
    const char* start = at;
    while (at < end && !is_blank(*at) && !(also_line_ends && *at == '\r')) at += 1;
    if (count < pieces_max)
      pieces[count] = std::string_view(start, static_cast<size_t>(at - start));
    count += 1;
  }
  return count;
}

// Where the arguments end of a line that ends at `line_end`: one byte is dropped when it holds a CR
// anywhere, as nats-server does; it is the CR where it should be.
inline const char* arguments_end_of(const char* at, const char* line_end) {
  const size_t bytes = static_cast<size_t>(line_end - at - 1);
  return std::memchr(at + 1, '\r', bytes) != nullptr ? line_end - 1 : line_end;
}

// How many zeros stand before the first other digit (or the last).
uint8_t leading_zeros(std::string_view digits) {
  uint8_t count = 0;
  while (count + 1U < digits.size() && digits[count] == '0') count += 1;
  return count;
}

}  // namespace

int64_t parse_size(std::string_view text) {
  if (text.empty() || text.size() > 9) return -1;
  int64_t value = 0;
  for (const char c : text) {
    const unsigned digit = static_cast<unsigned char>(c) - '0';
    if (digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

const char* peek_publish(const char* begin, const char* end, std::string_view& subject) {
  constexpr ptrdiff_t line_bytes_max = 512;
  if (end - begin < 5) return nullptr;
  const char* const publish = lower(*begin) == 'h' ? begin + 1 : begin;
  if (lower(publish[0]) != 'p' || lower(publish[1]) != 'u' || lower(publish[2]) != 'b' ||
      publish[3] != ' ') {
    return nullptr;
  }
  const char* const text = publish + 4;
  const ptrdiff_t shown = std::min(end - text, line_bytes_max);
  const void* const found = std::memchr(text, '\n', static_cast<size_t>(shown));
  if (found == nullptr) return nullptr;
  const char* const line_end = static_cast<const char*>(found);
  const std::string_view line(text, static_cast<size_t>(line_end - text));
  subject = line.substr(0, line.find(' '));
  const size_t size_end = line.ends_with('\r') ? line.size() - 1 : line.size();
  const size_t size_begin = line.rfind(' ') + 1;
  const int64_t size =
      size_begin < size_end ? parse_size(line.substr(size_begin, size_end - size_begin)) : -1;
  if (size < 0) return nullptr;
  const ptrdiff_t rest = static_cast<ptrdiff_t>(size) + 2;  // With the end of the payload.
  return end - line_end - 1 <= rest ? end : line_end + 1 + rest;
}

ParseResult Parser::next(const char* begin, const char* end, Operation& operation, size_t& consumed,
                         size_t& needed) {
  operation.awaits_payload = false;
#if defined(__SSE2__)
  // The short way. Loads at most slack_bytes behind `end`; what stands there is masked off.
  const size_t available = static_cast<size_t>(end - begin);
  if (available >= 8 && !is_behind_verb_ && !limits_.connect_required) {
    uint32_t verb;
    std::memcpy(&verb, begin, sizeof verb);
    if ((verb & 0xffdfdfdfU) == 0x20425550U) {  // "PUB " in either case.
      const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(begin));
      const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(begin + 16));
      const __m128i newline = _mm_set1_epi8('\n');
      const __m128i space = _mm_set1_epi8(' ');
      const uint32_t newlines =
          static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(low, newline))) |
          static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(high, newline))) << 16;
      if (newlines != 0) {
        const uint32_t line = static_cast<uint32_t>(__builtin_ctz(newlines));
        const uint32_t inside = (1U << line) - 1;
        // Anything at or below ' ' counts here; only a line that is all plain goes on.
        const __m128i limit = _mm_set1_epi8(' ');
        const uint32_t low_bytes =
            (static_cast<uint32_t>(
                 _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(low, limit), low))) |
             static_cast<uint32_t>(
                 _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(high, limit), high)))
                 << 16) &
            inside;
        const uint32_t spaces =
            (static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(low, space))) |
             static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(high, space))) << 16) &
            inside;
        const bool plain = line < available && line >= 8 && begin[line - 1] == '\r' &&
                           low_bytes == (spaces | 1U << (line - 1)) &&
                           (spaces & (spaces << 1)) == 0;
        const uint32_t after_verb = spaces & ~8U;
        const uint32_t after_subject = after_verb & (after_verb - 1);
        // One or two blanks behind the subject, none at the end of the line.
        if (plain && after_verb != 0 && (after_subject & (after_subject - 1)) == 0 &&
            (spaces & (1U << (line - 2))) == 0 &&
            static_cast<int64_t>(line) < limits_.control_line_bytes_max) {
          const uint32_t first = static_cast<uint32_t>(__builtin_ctz(after_verb));
          uint32_t last = first;
          operation.subject = std::string_view(begin + 4, first - 4);
          operation.reply = std::string_view();
          if (after_subject != 0) {
            last = static_cast<uint32_t>(__builtin_ctz(after_subject));
            operation.reply = std::string_view(begin + first + 1, last - first - 1);
          }
          const int64_t size =
              parse_size(std::string_view(begin + last + 1, line - 1 - (last + 1)));
          if (size >= 0 && (size <= limits_.payload_bytes_max || limits_.payload_bytes_max < 0)) {
            operation.kind = OperationKind::publish;
            operation.has_headers = false;
            operation.header_bytes = 0;
            operation.size_zeros =
                begin[last + 1] == '0' ? leading_zeros({begin + last + 1, line - 2 - last}) : 0;
            operation.header_size_zeros = 0;
            operation.argument = std::string_view(begin + 4, line - 5);
            return take_payload(begin, begin + line + 1, end, static_cast<size_t>(size), operation,
                                consumed, needed);
          }
        }
      }
    }
  }
#endif
  return parse_slow(begin, end, operation, consumed, needed);
}

ParseResult Parser::take_payload(const char* begin, const char* data, const char* end,
                                 size_t payload_bytes, Operation& operation, size_t& consumed,
                                 size_t& needed) {
  const size_t available = static_cast<size_t>(end - data);
  operation.awaits_payload = operation.kind == OperationKind::publish;
  if (available < payload_bytes + 2) {
    // A wrong end is told as soon as it can be seen.
    if (available == payload_bytes + 1 && data[payload_bytes] != '\r')
      return ParseResult::unknown_operation;
    consumed = 0;
    needed = static_cast<size_t>(data - begin) + payload_bytes + 2;
    return ParseResult::incomplete;
  }
  if (data[payload_bytes] != '\r' || data[payload_bytes + 1] != '\n')
    return ParseResult::unknown_operation;
  operation.awaits_payload = false;
  operation.payload = std::string_view(data, payload_bytes);
  consumed = static_cast<size_t>(data - begin) + payload_bytes + 2;
  return ParseResult::operation;
}

ParseResult Parser::parse_slow(const char* begin, const char* end, Operation& operation,
                               size_t& consumed, size_t& needed) {
  consumed = 0;
  needed = static_cast<size_t>(end - begin) + 1;
  if (begin == end) return ParseResult::incomplete;
  const char* at = begin;
  const Verb* verb = &verbs[verb_index_];
  if (!is_behind_verb_) {
    if (limits_.connect_required && lower(*begin) != 'c') return ParseResult::connect_required;
    bool partial = false;
    verb = find_verb(begin, end, partial);
    if (verb == nullptr) return partial ? ParseResult::incomplete : ParseResult::unknown_operation;
    at += std::strlen(verb->text);
    if (at == end && verb->follow != Verb::rest) return ParseResult::incomplete;
    if (verb->follow == Verb::blank && !is_blank(*at)) return ParseResult::unknown_operation;
  }
  if (verb->follow == Verb::rest) {
    verb_index_ = static_cast<uint8_t>(verb - verbs);
    return skip_line(begin, at, end, operation, consumed, needed);
  }

  const char* const blanks = at;
  while (at < end && is_blank(*at)) at += 1;
  // The first byte behind the blanks belongs to the argument, whatever it is: even a line end only
  // ends the line when it is not that byte.
  const char* const newline =
      at == end
          ? nullptr
          : static_cast<const char*>(std::memchr(at + 1, '\n', static_cast<size_t>(end - at - 1)));
  if (newline == nullptr) {
    if (end - at > limits_.control_line_bytes_max &&
        arguments_end_of(at, end) - at > limits_.control_line_bytes_max) {
      return ParseResult::control_line_too_long;
    }
    // Blanks there may be without end: they are dropped as they come and take no room. One is left
    // where it is, so that a usual line that a read has cut goes the short way when it is whole.
    if (at - blanks > 1) {
      consumed = static_cast<size_t>(at - begin);
      needed -= consumed;
      verb_index_ = static_cast<uint8_t>(verb - verbs);
      is_behind_verb_ = true;
    }
    return ParseResult::incomplete;
  }
  const char* const arguments_end = arguments_end_of(at, newline);
  if (arguments_end - at > limits_.control_line_bytes_max)
    return ParseResult::control_line_too_long;

  operation.kind = verb->kind;
  operation.has_headers = verb->text[0] == 'h';
  operation.argument = std::string_view(at, static_cast<size_t>(arguments_end - at));
  ParseResult result = parse_arguments(at, arguments_end, operation);
  if (result != ParseResult::operation) return result;
  if (operation.kind == OperationKind::publish || operation.kind == OperationKind::peer_publish) {
    result = take_payload(begin, newline + 1, end, static_cast<size_t>(operation.max), operation,
                          consumed, needed);
  } else {
    consumed = static_cast<size_t>(newline - begin) + 1;
  }
  if (result == ParseResult::operation) is_behind_verb_ = false;
  return result;
}

// `at` stands behind the verb or in the text that nobody reads.
ParseResult Parser::skip_line(const char* begin, const char* at, const char* end,
                              Operation& operation, size_t& consumed, size_t& needed) {
  const char* newline =
      static_cast<const char*>(std::memchr(at, '\n', static_cast<size_t>(end - at)));
  if (newline == nullptr) {
    consumed = static_cast<size_t>(end - begin);
    needed = 1;
    is_behind_verb_ = true;
    return ParseResult::incomplete;
  }
  is_behind_verb_ = false;
  operation.kind = verbs[verb_index_].kind;
  operation.argument = std::string_view();
  consumed = static_cast<size_t>(newline - begin) + 1;
  return ParseResult::operation;
}

// For a publish, operation.max is left holding the size of the payload.
ParseResult Parser::parse_arguments(const char* at, const char* end, Operation& operation) {
  std::string_view pieces[4];
  switch (operation.kind) {
    case OperationKind::publish: {
      if (operation.has_headers && !limits_.headers) return ParseResult::headers_not_supported;
      const int count = split(at, end, false, pieces, 4);
      const int sizes = operation.has_headers ? 2 : 1;
      if (count != 1 + sizes && count != 2 + sizes) return ParseResult::wrong_argument_count;
      operation.subject = pieces[0];
      operation.reply = count == 2 + sizes ? pieces[1] : std::string_view();
      const int64_t size = parse_size(pieces[count - 1]);
      const int64_t header_bytes = operation.has_headers ? parse_size(pieces[count - 2]) : 0;
      operation.max = size;
      if (header_bytes < 0) return ParseResult::wrong_header_size;
      if (size < 0) return ParseResult::wrong_size;
      if (header_bytes > size) return ParseResult::headers_larger_than_payload;
      if (limits_.payload_bytes_max >= 0 && size > limits_.payload_bytes_max)
        return ParseResult::payload_too_large;
      operation.header_bytes = static_cast<uint32_t>(header_bytes);
      operation.size_zeros = leading_zeros(pieces[count - 1]);
      operation.header_size_zeros = operation.has_headers ? leading_zeros(pieces[count - 2]) : 0;
      return ParseResult::operation;
    }
    case OperationKind::subscribe: {
      const int count = split(at, end, true, pieces, 4);
      if (count != 2 && count != 3) return ParseResult::wrong_argument_count;
      operation.subject = pieces[0];
      operation.queue = count == 3 ? pieces[1] : std::string_view();
      operation.sid = pieces[count - 1];
      return ParseResult::operation;
    }
    case OperationKind::unsubscribe: {
      const int count = split(at, end, true, pieces, 4);
      if (count != 1 && count != 2) return ParseResult::wrong_argument_count;
      operation.sid = pieces[0];
      operation.max = count == 2 ? parse_size(pieces[1]) : -1;
      return ParseResult::operation;
    }
    case OperationKind::peer_publish:
      operation.max = 0;  // Whatever the line says, nats-server takes it for an empty message.
      return ParseResult::operation;
    default:
      return ParseResult::operation;
  }
}

}  // namespace martlet::protocol
