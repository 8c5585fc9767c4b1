// SPDX-License-Identifier: Apache-2.0
//
// Owns the packing of messages for another loop.
#include "broker/remote_batch.hpp"

namespace martlet::broker {

void RemoteBatch::begin_message(Account& account, const Message& message) {
  Record record{};
  record.account = &account;
  record.subject_bytes = static_cast<uint32_t>(message.subject.size());
  record.reply_bytes = static_cast<uint32_t>(message.reply.size());
  record.payload_bytes = static_cast<uint32_t>(message.payload.size());
  record.header_bytes = message.header_bytes;
  record.has_headers = message.has_headers ? 1 : 0;
  record.size_zeros = message.size_zeros;
  record.header_size_zeros = message.header_size_zeros;
  record.receivers_at = receivers_.size();
  record.text_at = text_.size();
  records_.push_back(record);
  text_.append(message.subject);
  text_.append(Message::slack_bytes, '\0');
  text_.append(message.reply);
  text_.append(Message::slack_bytes, '\0');
  text_.append(message.payload);
  text_.append("\r\n");
  text_.append(Message::slack_bytes, '\0');
}

Message RemoteBatch::message(const Record& record) const {
  const char* at = text_.data() + record.text_at;
  Message message;
  message.subject = {at, record.subject_bytes};
  at += record.subject_bytes + Message::slack_bytes;
  message.reply = {at, record.reply_bytes};
  at += record.reply_bytes + Message::slack_bytes;
  message.payload = {at, record.payload_bytes};
  message.header_bytes = record.header_bytes;
  message.has_headers = record.has_headers != 0;
  message.size_zeros = record.size_zeros;
  message.header_size_zeros = record.header_size_zeros;
  return message;
}

void RemoteBatch::clear() {
  records_.clear();
  receivers_.clear();
  text_.clear();
}

}  // namespace martlet::broker
