// SPDX-License-Identifier: Apache-2.0
//
// Owns how a message that is delivered lies on the wire: MSG or HMSG, its sid, its sizes, its
// payload, put behind what waits in an output queue. To whom it goes is the session's matter.
#pragma once

#include <string_view>

#include "broker/message.hpp"
#include "broker/output_queue.hpp"

namespace martlet::broker {

/// The message as one receiver gets it.
struct Delivery {
  std::string_view sid;      // Slack behind it as in Message.
  std::string_view payload;  // The message's, without headers for a receiver that knows none.
  bool with_headers;
};

/// What of the message a receiver gets that does or does not know headers.
inline Delivery delivery_of(const Message& message, std::string_view sid, bool knows_headers) {
  const bool stripped = message.has_headers && !knows_headers;
  return {sid, stripped ? message.payload.substr(message.header_bytes) : message.payload,
          message.has_headers && knows_headers};
}

/// `message.sizes` is set. False when a chunk could not be had; other memory that is missing throws
/// std::bad_alloc, for the caller's fits_into_memory(). Either way the queue holds a first part,
/// and nothing may be put behind it any more.
bool append_message(OutputQueue& output, const Message& message, const Delivery& delivery);

}  // namespace martlet::broker
