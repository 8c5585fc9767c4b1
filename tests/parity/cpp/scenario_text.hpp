// SPDX-License-Identifier: Apache-2.0
//
// Owns the texts of tests/parity/README.md: payloads, headers and messages as a scenario writes
// them, and as a transcript shows them.
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <string>
#include <string_view>

#include "martlet/cpp/batch.hpp"

namespace martlet::parity {

namespace json = boost::json;
using Milliseconds = std::chrono::milliseconds;

/// A failure of the language's own callback.
struct Thrown {};

/// A message that was received, copied out of its batch.
struct Message {
  std::string subject;
  std::string reply;
  std::string headers;
  std::string data;
};

inline Message copy_of(const cpp::Batch& batch, const martlet_descriptor& descriptor) {
  return {std::string(batch.subject(descriptor)), std::string(batch.reply(descriptor)),
          std::string(batch.headers(descriptor)), std::string(batch.data(descriptor))};
}

inline std::string text_of(const json::object& step, std::string_view key,
                           std::string_view otherwise = {}) {
  const json::value* const value = step.if_contains(key);
  return value == nullptr ? std::string(otherwise) : std::string(value->as_string());
}

inline int64_t number_of(const json::object& step, std::string_view key, int64_t otherwise) {
  const json::value* const value = step.if_contains(key);
  return value == nullptr ? otherwise : value->as_int64();
}

inline int32_t timeout_of(const json::object& step) {
  return static_cast<int32_t>(number_of(step, "timeout_ms", 10'000));
}

/// FNV-1a of 32 bits, as eight digits.
std::string fnv_text(std::string_view data);

std::string replaced(std::string text, std::string_view what, std::string_view with);

/// The payload of a step: `data`, `hex` or `size`. In a handler {data} is that of `message`.
std::string payload_of(const json::object& step, const Message* message, int64_t number);

/// The headers of a step as a block of the wire; empty without them.
std::string header_block_of(const json::object& step);

/// What a transcript shows of a message.
json::value shown(const Message& message);

}  // namespace martlet::parity
