// SPDX-License-Identifier: Apache-2.0
//
// Goal: no bytes make the client parser read outside of what it was given, loop, or answer differently because reads end
// elsewhere. Method: the input is parsed whole and in pieces whose lengths come from the input; both must agree.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/assert.hpp"
#include "protocol/parser.hpp"

namespace {

using martlet::protocol::Operation;
using martlet::protocol::Parser;
using martlet::protocol::ParseResult;
using martlet::protocol::ParserLimits;

// One line for each operation, then the end. The buffer is exactly as large as the parser may look.
std::string parse(const uint8_t* data, size_t size, bool in_pieces, const ParserLimits& limits) {
  Parser parser(limits);
  std::string out;
  std::string seen;
  size_t at = 0;
  while (at < size) {
    const size_t piece = in_pieces ? std::min<size_t>(1 + data[at] % 5, size - at) : size;
    seen.append(reinterpret_cast<const char*>(data + at), piece);
    at += piece;
    for (;;) {
      std::vector<char> shown(seen.begin(), seen.end());
      shown.resize(seen.size() + Parser::slack_bytes, '\n');
      Operation op;
      size_t consumed = 0;
      size_t needed = 0;
      const ParseResult result = parser.next(shown.data(), shown.data() + seen.size(), op, consumed, needed);
      MARTLET_ASSERT(result != ParseResult::operation || (consumed > 0 && consumed <= seen.size()));
      if (result == ParseResult::incomplete) {
        MARTLET_ASSERT(consumed <= seen.size());
        MARTLET_ASSERT(needed > seen.size() - consumed);
        seen.erase(0, consumed);
        break;
      }
      if (result != ParseResult::operation) return out + "!";
      if (op.kind == martlet::protocol::OperationKind::connect) parser.limits().connect_required = false;
      out += static_cast<char>('a' + static_cast<int>(op.kind));
      for (const std::string_view part : {op.subject, op.reply, op.queue, op.sid}) {
        out.append(part).push_back(',');
      }
      if (op.kind == martlet::protocol::OperationKind::publish) out.append(op.payload);
      out += ';';
      seen.erase(0, consumed);
      if (seen.empty()) break;
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  ParserLimits limits;
  limits.control_line_bytes_max = 4096;
  limits.payload_bytes_max = (data[0] & 1) != 0 ? 64 : -1;
  limits.headers = (data[0] & 2) != 0;
  limits.connect_required = (data[0] & 4) != 0;
  const std::string whole = parse(data + 1, size - 1, false, limits);
  const std::string pieces = parse(data + 1, size - 1, true, limits);
  // A broken end may be told earlier when it arrives in pieces, never later and never differently before it.
  MARTLET_ASSERT(whole == pieces);
  return 0;
}
