// SPDX-License-Identifier: Apache-2.0
//
// Owns the packing of messages for another loop.
#include "broker/remote_batch.hpp"

#include <algorithm>

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
  const size_t text_bytes = text_.size() + message.subject.size() + message.reply.size() +
                            message.payload.size() + 2 + 3 * Message::slack_bytes;
  if (text_.capacity() < text_bytes) text_.reserve(std::max(text_bytes, text_.capacity() * 2));
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

RemoteBatchList::~RemoteBatchList() {
  while (first_ != nullptr) (void)take_front();
}

void RemoteBatchList::append(std::unique_ptr<RemoteBatch> batch) noexcept {
  RemoteBatch* added = batch.release();
  (first_ == nullptr ? first_ : last_->next_) = added;
  last_ = added;
}

std::unique_ptr<RemoteBatch> RemoteBatchList::take_front() noexcept {
  std::unique_ptr<RemoteBatch> front(first_);
  if (front != nullptr) {
    first_ = front->next_;
    front->next_ = nullptr;
  }
  return front;
}

void RemoteBatchList::swap(RemoteBatchList& other) noexcept {
  std::swap(first_, other.first_);
  std::swap(last_, other.last_);
}

}  // namespace martlet::broker
