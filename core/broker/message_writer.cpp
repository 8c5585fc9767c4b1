// SPDX-License-Identifier: Apache-2.0
//
// The usual message is one reservation and a few copies of whole blocks: each text has slack behind
// it, so no copy asks how long it is.
#include "broker/message_writer.hpp"

#include <cstring>
#include <string>

namespace martlet::broker {
namespace {

// From here on a payload is borrowed of the read arena where it can be: a copy costs less below.
constexpr size_t borrow_bytes_min = 1024;

// A control line that does not fit into one piece (a subject or sid of many kilobytes), or no
// memory for a chunk.
bool append_long_message(OutputQueue& output, const Message& message, const Delivery& delivery) {
  std::string line = delivery.with_headers ? "HMSG " : "MSG ";
  line.append(message.subject).append(" ").append(delivery.sid);
  if (!message.reply.empty()) line.append(" ").append(message.reply);
  if (message.has_headers && !delivery.with_headers) {
    line.append(message.sizes->stripped, message.sizes->stripped_bytes);
  } else {
    line.append(message.sizes->text, message.sizes->bytes);
  }
  const std::string_view payload = delivery.payload;
  return output.append(line) && output.append({payload.data(), payload.size() + 2});
}

char* put_line(char* at, const Message& message, const Delivery& delivery) {
  if (delivery.with_headers) {
    std::memcpy(at, "HMSG ", 5);
    at += 5;
  } else {
    std::memcpy(at, "MSG ", 4);
    at += 4;
  }
  at = copy_short(at, message.subject);
  *at++ = ' ';
  at = copy_short(at, delivery.sid);
  if (!message.reply.empty()) {
    *at++ = ' ';
    at = copy_short(at, message.reply);
  }
  if (message.has_headers && !delivery.with_headers) {
    std::memcpy(at, message.sizes->stripped, 32);
    return at + message.sizes->stripped_bytes;
  }
  std::memcpy(at, message.sizes->text, 32);
  return at + message.sizes->bytes;
}

}  // namespace

bool append_message(OutputQueue& output, const Message& message, const Delivery& delivery) {
  const std::string_view payload = delivery.payload;
  const size_t line_bytes = 5 + message.subject.size() + 1 + delivery.sid.size() + 1 +
                            message.reply.size() + sizeof message.sizes->text;
  const bool borrows = message.payload_is_stable && payload.size() >= borrow_bytes_min;
  const bool fits = line_bytes + payload.size() + 2 <= OutputQueue::reserve_bytes_max;
  char* start =
      fits || line_bytes <= OutputQueue::reserve_bytes_max
          ? output.reserve(fits && !borrows ? line_bytes + payload.size() + 2 : line_bytes)
          : nullptr;
  if (start == nullptr) return append_long_message(output, message, delivery);
  char* const at = put_line(start, message, delivery);
  const size_t used_bytes = static_cast<size_t>(at - start);
  if (borrows) {
    output.commit(used_bytes);
    output.append_borrowed({payload.data(), payload.size() + 2});
    return true;
  }
  if (!fits) {
    output.commit(used_bytes);
    return output.append({payload.data(), payload.size() + 2});
  }
  if (payload.size() <= 30) {
    std::memcpy(at, payload.data(), 32);
  } else {
    std::memcpy(at, payload.data(), payload.size() + 2);
  }
  output.commit(used_bytes + payload.size() + 2);
  return true;
}

}  // namespace martlet::broker
