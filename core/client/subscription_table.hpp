// SPDX-License-Identifier: Apache-2.0
//
// Owns what a connection knows of its subscriptions: by number, and as the text that restores them
// on a new connection. Guarded by its connection's mutex.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "client/completion_queue.hpp"

namespace martlet::client {

class ConnectionCore;

/// One subscription. Shared by the connection's table and by the program's handle: either may go
/// first.
class SubscriptionState {
 public:
  SubscriptionState(std::weak_ptr<ConnectionCore> its_core,
                    std::shared_ptr<CompletionQueue> its_queue)
      : core(std::move(its_core)), queue(std::move(its_queue)) {}
  ~SubscriptionState();
  SubscriptionState(const SubscriptionState&) = delete;
  SubscriptionState& operator=(const SubscriptionState&) = delete;

  const std::weak_ptr<ConnectionCore> core;
  const std::shared_ptr<CompletionQueue>
      queue;                       // Shared with its owner; null for the inbox of requests.
  FeedAccount* account = nullptr;  // Belongs to the queue; closed by the destructor.
  int32_t sid = 0;
  int64_t cookie = 0;
  std::string subject;
  std::string group;
  std::atomic<int64_t> delivered{0};
  int64_t messages_max = 0;  // GUARDED_BY the connection's mutex; 0: none.
  bool draining = false;     // GUARDED_BY the connection's mutex
  bool ended = false;        // GUARDED_BY the connection's mutex
};

class SubscriptionTable {
 public:
  void add(std::shared_ptr<SubscriptionState> subscription);
  void remove(int32_t sid);
  SubscriptionState* find(int64_t sid) {
    if (sid == last_sid_) return last_;
    return find_slow(sid);
  }
  std::shared_ptr<SubscriptionState> share(int32_t sid) const;
  int32_t next_sid() { return ++last_given_sid_; }
  size_t size() const { return by_sid_.size(); }
  /// SUB and UNSUB lines of all, with maxima less what was delivered; drained ones are left out.
  std::string restoring_text() const;
  /// One of them; null when there is none.
  std::shared_ptr<SubscriptionState> any() const {
    return by_sid_.empty() ? nullptr : by_sid_.begin()->second;
  }
  const std::unordered_map<int64_t, std::shared_ptr<SubscriptionState>>& all() const {
    return by_sid_;
  }

  static std::string subscribe_line(const SubscriptionState& subscription);

 private:
  SubscriptionState* find_slow(int64_t sid);
  std::unordered_map<int64_t, std::shared_ptr<SubscriptionState>> by_sid_;
  int64_t last_sid_ = -1;  // Most messages are for the same one as the message before.
  SubscriptionState* last_ = nullptr;
  int32_t last_given_sid_ = 0;
};

}  // namespace martlet::client
