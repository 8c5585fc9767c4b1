// SPDX-License-Identifier: Apache-2.0
//
// Owns the form in which one loop hands messages to another: one block of records, each a message,
// once, and the handles of its receivers there. Filled by one loop during its turn, read by the
// other during its own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/message.hpp"
#include "broker/subscription.hpp"

namespace martlet::broker {

class Account;

class RemoteBatch {
 public:
  struct Receiver {
    SubscriptionHandle handle;
    uint64_t queue_hash;  // Of a queue delivery: the receiving loop finds another member if this
                          // one is gone. 0: plain.
  };
  struct Record {
    Account* account;
    uint32_t subject_bytes;
    uint32_t reply_bytes;
    uint32_t payload_bytes;
    uint32_t header_bytes;
    uint32_t receiver_count;
    uint8_t has_headers;
    uint8_t size_zeros;
    uint8_t header_size_zeros;
    size_t receivers_at;  // In receivers_.
    size_t text_at;       // In text_: subject, reply, payload CR LF, each with slack behind it.
  };

  bool is_empty() const { return records_.empty(); }
  size_t bytes() const {
    return text_.size() + records_.size() * sizeof(Record) + receivers_.size() * sizeof(Receiver);
  }
  size_t record_count() const { return records_.size(); }

  /// As add_receiver(), changes nothing when memory cannot be had, which std::bad_alloc tells.
  void begin_message(Account& account, const Message& message);
  void add_receiver(const Receiver& receiver) {
    receivers_.push_back(receiver);
    records_.back().receiver_count += 1;
  }
  const Record& record(size_t index) const { return records_[index]; }
  const Receiver* receivers(const Record& record) const {
    return receivers_.data() + record.receivers_at;
  }
  /// Views into this batch.
  Message message(const Record& record) const;

 private:
  friend class RemoteBatchList;

  std::vector<Record> records_;
  std::vector<Receiver> receivers_;
  std::string text_;
  RemoteBatch* next_ = nullptr;  // In the list that owns it.
};

/// Batches in the order in which they were handed over. To append to it needs no memory, so that
/// what has once got into a batch arrives.
class RemoteBatchList {
 public:
  RemoteBatchList() = default;
  ~RemoteBatchList();
  RemoteBatchList(RemoteBatchList&& other) noexcept { swap(other); }
  RemoteBatchList& operator=(RemoteBatchList&&) = delete;

  void append(std::unique_ptr<RemoteBatch> batch) noexcept;
  /// The oldest; null when there is none.
  std::unique_ptr<RemoteBatch> take_front() noexcept;
  void swap(RemoteBatchList& other) noexcept;

 private:
  RemoteBatch* first_ = nullptr;
  RemoteBatch* last_ = nullptr;
};

}  // namespace martlet::broker
