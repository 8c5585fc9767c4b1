// SPDX-License-Identifier: Apache-2.0
//
// Owns the accounts themselves, and what the two policies that drop keep in them.
#include "client/feed_accounts.hpp"

#include <utility>

namespace martlet::client {

FeedAccounts::~FeedAccounts() {
  for (FeedAccount* account : accounts_) delete account;
}

void FeedAccounts::abandon() {
  static_cast<void>(new std::unordered_set<FeedAccount*>(std::move(accounts_)));
  accounts_.clear();
}

FeedAccount* FeedAccounts::open(const FeedOptions& options, int32_t sid, int64_t cookie) {
  FeedAccount* const account = new FeedAccount;
  account->options = options;
  account->sid = sid;
  account->cookie = cookie;
  accounts_.insert(account);
  return account;
}

void FeedAccounts::close(FeedAccount* account) {
  account->closed = true;
  if (account->messages == 0) remove(account);
}

void FeedAccounts::remove(FeedAccount* account) {
  accounts_.erase(account);
  delete account;
}

void FeedAccounts::remember(FeedAccount* account, uint64_t id, std::string_view subject) {
  if (account->options.full_policy == FullPolicy::drop_oldest) {
    account->order.push_back(id);
  } else {
    account->latest[std::string(subject)] = id;
  }
}

void FeedAccounts::forget(FeedAccount* account, uint64_t id, std::string_view subject) {
  if (!account->order.empty() && account->order.front() == id) account->order.pop_front();
  if (account->latest.empty()) return;
  const auto found = account->latest.find(std::string(subject));
  if (found != account->latest.end() && found->second == id) account->latest.erase(found);
}

bool FeedAccounts::has_room(const FeedAccount* account) const {
  if (waiting_messages_.load(std::memory_order_relaxed) > options_.messages_max / 2) return false;
  if (waiting_bytes_ > options_.bytes_max / 2) return false;
  if (account == nullptr) return true;
  const FeedOptions& bounds = account->options;
  if (bounds.messages_max > 0 && account->messages > bounds.messages_max / 2) return false;
  return bounds.bytes_max <= 0 || account->bytes <= bounds.bytes_max / 2;
}

}  // namespace martlet::client
