// SPDX-License-Identifier: Apache-2.0
//
// Owns the texts; they are those of nats-server 2.15.2, which people's log collectors know.
#include "broker/session_log.hpp"

#include <fmt/format.h>

#include "base/go_quoted.hpp"

namespace martlet::broker {

void SessionLog::write(LogLevel level, std::string_view text) const {
  if (logger_.wants(level)) logger_.write(level, fmt::format("{} - {}", label_, text));
}

void SessionLog::name(const protocol::ConnectOptions& connect, std::string_view account,
                      bool has_token) {
  if (is_named_ || !logger_.wants(LogLevel::fatal)) return;
  is_named_ = true;
  std::string client = connect.version.empty() ? std::string() : "v" + connect.version;
  for (const std::string* part : {&connect.language, &connect.name}) {
    if (!part->empty()) client += (client.empty() ? "" : ":") + *part;
  }
  if (!client.empty()) label_ += " - " + go_quoted(client);
  const std::string who = !connect.user.empty() ? "user:" + connect.user : has_token ? "token" : "";
  if (!who.empty()) label_ += " - " + go_quoted(fmt::format("{}/{}", account, who));
}

void SessionLog::trace_in(const protocol::Operation& operation) const {
  const char* name = nullptr;
  switch (operation.kind) {
    case protocol::OperationKind::connect:
      // Never with its argument: it holds secrets.
      write(LogLevel::trace, "<<- [CONNECT {…}]");
      return;
    case protocol::OperationKind::publish:
      name = operation.has_headers ? "HPUB" : "PUB";
      break;
    case protocol::OperationKind::subscribe:
      name = "SUB";
      break;
    case protocol::OperationKind::unsubscribe:
      name = "UNSUB";
      break;
    case protocol::OperationKind::ping:
      name = "PING";
      break;
    case protocol::OperationKind::pong:
      name = "PONG";
      break;
    case protocol::OperationKind::peer_publish:
    case protocol::OperationKind::info:
    case protocol::OperationKind::ok:
    case protocol::OperationKind::error:
      return;
  }
  write(LogLevel::trace, operation.argument.empty()
                             ? fmt::format("<<- [{}]", name)
                             : fmt::format("<<- [{} {}]", name, operation.argument));
  if (operation.kind == protocol::OperationKind::publish) trace_payload("<<-", operation.payload);
}

void SessionLog::trace_out(std::string_view text) const {
  if (text.starts_with("INFO ") || text.starts_with("HMSG ")) return;
  if (text.ends_with("\r\n")) text.remove_suffix(2);
  if (text.starts_with("-ERR '") && text.ends_with('\'')) {
    text.remove_prefix(6);
    text.remove_suffix(1);
    write(LogLevel::trace, fmt::format("->> [-ERR {}]", text));
    return;
  }
  if (text.starts_with('+')) text.remove_prefix(1);
  write(LogLevel::trace, fmt::format("->> [{}]", text));
}

void SessionLog::trace_message(std::string_view sid, const Message& message, bool with_headers,
                               std::string_view payload) const {
  std::string line =
      fmt::format("->> [{} {} {} ", with_headers ? "HMSG" : "MSG", message.subject, sid);
  if (!message.reply.empty()) line += fmt::format("{} ", message.reply);
  if (with_headers) line += fmt::format("{} ", message.header_bytes);
  write(LogLevel::trace, line + fmt::format("{}]", payload.size()));
  trace_payload("->>", payload);
}

void SessionLog::trace_payload(std::string_view arrow, std::string_view payload) const {
  if (payload.empty()) return;
  const bool is_cut =
      payload_bytes_max_ > 0 && payload.size() > static_cast<size_t>(payload_bytes_max_);
  std::string shown =
      go_quoted(is_cut ? payload.substr(0, static_cast<size_t>(payload_bytes_max_)) : payload);
  if (is_cut) shown.insert(shown.size() - 1, "...");
  write(LogLevel::trace, fmt::format("{} MSG_PAYLOAD: [{}]", arrow, shown));
}

}  // namespace martlet::broker
