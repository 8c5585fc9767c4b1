// SPDX-License-Identifier: Apache-2.0
//
// Owns what a session's lines in the log begin with, and how its operations are traced. Never shows
// a secret: CONNECT is traced without its argument.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/log.hpp"
#include "broker/message.hpp"
#include "protocol/connect_options.hpp"
#include "protocol/operation.hpp"

namespace martlet::broker {

/// A copyable value. A default one is silent.
class SessionLog {
 public:
  SessionLog() = default;
  /// `label`: "127.0.0.1:5000 - cid:7". Of a traced payload at most `payload_bytes_max` are shown;
  /// 0: all.
  SessionLog(Logger logger, std::string label, int64_t payload_bytes_max)
      : logger_(logger), label_(std::move(label)), payload_bytes_max_(payload_bytes_max) {}

  const std::string& label() const { return label_; }
  void write(LogLevel level, std::string_view text) const;
  /// From its CONNECT on a client stands in the log with what it says of itself:
  /// - "v1.2:python3:name" - "$G/user:alice". The first time counts.
  void name(const protocol::ConnectOptions& connect, std::string_view account, bool has_token);

  /// What a client sent, and the payload of a publish.
  void trace_in(const protocol::Operation& operation) const;
  /// What is said to a client, but for INFO and messages.
  void trace_out(std::string_view protocol_text) const;
  /// A message to a client: its payload as that client gets it.
  void trace_message(std::string_view sid, const Message& message, bool with_headers,
                     std::string_view payload) const;

 private:
  void trace_payload(std::string_view arrow, std::string_view payload) const;

  Logger logger_;
  std::string label_;
  int64_t payload_bytes_max_ = 0;
  bool is_named_ = false;
};

}  // namespace martlet::broker
