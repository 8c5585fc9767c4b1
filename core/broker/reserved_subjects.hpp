// SPDX-License-Identifier: Apache-2.0
//
// Owns which subjects belong to the servers themselves: clients may neither publish to them nor ask
// for answers to them.
#pragma once

#include <string_view>

namespace martlet::broker {

inline bool is_gateway_subject(std::string_view subject) {
  constexpr std::string_view prefixes[] = {"_GR_.", "$GR."};
  for (const std::string_view prefix : prefixes) {
    if (subject.size() > prefix.size() && subject.starts_with(prefix)) return true;
  }
  return false;
}

inline bool is_reserved_subject(std::string_view subject) {
  return is_gateway_subject(subject) || subject.starts_with("$NRG.");
}

inline bool is_reserved_reply(std::string_view reply) {
  constexpr std::string_view acknowledgement = "$JS.ACK.";
  return reply.starts_with("_R_.") ||
         (reply.size() > acknowledgement.size() && reply.starts_with(acknowledgement)) ||
         is_gateway_subject(reply);
}

}  // namespace martlet::broker
