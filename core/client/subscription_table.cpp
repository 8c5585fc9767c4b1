// SPDX-License-Identifier: Apache-2.0
//
// Owns the table of subscriptions.
#include "client/subscription_table.hpp"

#include <fmt/format.h>

namespace martlet::client {

SubscriptionState::~SubscriptionState() {
  if (account != nullptr) queue->close_account(account);
}

void SubscriptionTable::add(std::shared_ptr<SubscriptionState> subscription) {
  const int64_t sid = subscription->sid;
  by_sid_.emplace(sid, std::move(subscription));
  last_sid_ = -1;
}

void SubscriptionTable::remove(int32_t sid) {
  by_sid_.erase(sid);
  last_sid_ = -1;
  last_ = nullptr;
}

SubscriptionState* SubscriptionTable::find_slow(int64_t sid) {
  const auto found = by_sid_.find(sid);
  if (found == by_sid_.end()) return nullptr;
  last_sid_ = sid;
  last_ = found->second.get();
  return last_;
}

std::shared_ptr<SubscriptionState> SubscriptionTable::share(int32_t sid) const {
  const auto found = by_sid_.find(sid);
  return found == by_sid_.end() ? nullptr : found->second;
}

std::string SubscriptionTable::subscribe_line(const SubscriptionState& subscription) {
  if (subscription.group.empty())
    return fmt::format("SUB {} {}\r\n", subscription.subject, subscription.sid);
  return fmt::format("SUB {} {} {}\r\n", subscription.subject, subscription.group,
                     subscription.sid);
}

std::string SubscriptionTable::restoring_text() const {
  std::string text;
  for (const auto& [sid, subscription] : by_sid_) {
    if (subscription->draining) continue;
    text += subscribe_line(*subscription);
    if (subscription->messages_max > 0) {
      // The server counts from the SUB that it sees: what came before must not count again.
      const int64_t left =
          subscription->messages_max - subscription->delivered.load(std::memory_order_relaxed);
      text += fmt::format("UNSUB {} {}\r\n", sid, left);
    }
  }
  return text;
}

}  // namespace martlet::client
