// SPDX-License-Identifier: Apache-2.0
//
// Owns one message on its way through a loop: views into the bytes it arrived in, valid for the
// delivery only.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace martlet::broker {

class Session;

/// Copies short texts in whole blocks: may read and write up to 15 bytes behind their ends, where
/// both buffers have slack.
inline char* copy_short(char* to, std::string_view text) {
  const char* from = text.data();
  size_t done = 0;
  do {
    std::memcpy(to + done, from + done, 16);
    done += 16;
  } while (done < text.size());
  return to + text.size();
}

struct Message;

/// " <size>\r\n" as it ends a MSG line, " <headers> <size>\r\n" as it ends an HMSG line, and for
/// receivers that know no headers the MSG line without them. Made once for all receivers, and kept
/// for the next message of the same sizes.
struct SizeText {
  uint64_t payload_bytes = ~0ULL;
  uint32_t header_bytes = 0;
  bool has_headers = false;
  uint8_t zeros = 0;  // Leading zeros that the publisher wrote: they are repeated.
  uint8_t header_zeros = 0;
  uint32_t bytes = 0;
  uint32_t stripped_bytes = 0;
  char text[32] = {};
  char stripped[32] = {};

  bool fits(const Message& message) const;
  void make(const Message& message);
};

/// Behind each view stand at least `slack_bytes` readable bytes; behind the payload the first two
/// are CR LF.
struct Message {
  /// So many bytes behind each text can be read, whatever they hold (copy_short).
  static constexpr size_t slack_bytes = 32;

  std::string_view subject;
  std::string_view reply;
  std::string_view payload;  // Headers and body.
  uint32_t header_bytes = 0;
  bool has_headers = false;
  uint8_t size_zeros = 0;
  uint8_t header_size_zeros = 0;
  bool payload_is_stable =
      false;  // The payload stays where it is until the end of the turn: it may be borrowed.
  Session* publisher = nullptr;  // Null when it came from another loop or from inside.

  const SizeText* sizes = nullptr;  // Of this message, or null until the shard has looked it up.
};

inline bool SizeText::fits(const Message& message) const {
  return payload_bytes == message.payload.size() && header_bytes == message.header_bytes &&
         has_headers == message.has_headers && zeros == message.size_zeros &&
         header_zeros == message.header_size_zeros;
}

}  // namespace martlet::broker
