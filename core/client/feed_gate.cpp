// SPDX-License-Identifier: Apache-2.0
//
// Owns the policies at the bounds.
#include "client/feed_gate.hpp"

#include <fmt/format.h>

#include <string>

#include "base/assert.hpp"
#include "base/result.hpp"

namespace martlet::client {
namespace {

// Events and log lines beyond the bound that are still taken: so many that no program that polls at
// all misses one.
constexpr int64_t events_above_bound_max = 1024;

}  // namespace

FeedVerdict FeedGate::offer(const Completion& completion, FeedAccount* account,
                            FeedSource* source) {
  const int64_t bytes = entry_bytes(completion.content_bytes());
  const FullPolicy policy = account->options.full_policy;
  // A message of the same subject that still waits goes when this one is taken, and not before:
  // the bounds are asked as if it had gone.
  const uint64_t latest = account->latest.empty() ? 0 : latest_of(completion, account);
  FeedAccounts::Replaced replaced = replaced_by(latest);
  if (accounts_.is_account_over(*account, bytes, replaced)) {
    if (policy == FullPolicy::block_reader) return block(source, account);
    if (policy != FullPolicy::drop_oldest) return refuse(completion, account);
    while (accounts_.is_account_over(*account, bytes, replaced) && drop_oldest_of(account)) {
      note_slow(completion, account);
    }
  }
  if (accounts_.is_queue_over(bytes, replaced)) {
    if (options_.full_policy == FullPolicy::block_reader) return block(source, nullptr);
    if (options_.full_policy != FullPolicy::drop_oldest) return refuse(completion, account);
    while (accounts_.is_queue_over(bytes, replaced) && drop_oldest(completion)) {
      replaced = replaced_by(latest);  // It may have been that one.
    }
    if (accounts_.is_queue_over(bytes, replaced)) return refuse(completion, account);
  }
  if (!store_.append(completion, account)) return refuse(completion, account);
  if (latest != 0) store_.drop(latest);
  return FeedVerdict::taken;
}

bool FeedGate::add(const Completion& completion) {
  if (completion.is_event()) {
    if (accounts_.messages() >= options_.messages_max + events_above_bound_max) return false;
    if (accounts_.bytes() > 2 * options_.bytes_max) return false;
  }
  return store_.append(completion, nullptr);
}

FeedVerdict FeedGate::block(FeedSource* source, FeedAccount* account) {
  for (const Blocked& blocked : blocked_) {
    if (blocked.source == source) return FeedVerdict::blocked;
  }
  blocked_.push_back(Blocked{source, account});
  return FeedVerdict::blocked;
}

FeedVerdict FeedGate::refuse(const Completion& completion, FeedAccount* account) {
  note_slow(completion, account);
  return FeedVerdict::refused;
}

// The message of the same subject that still waits; 0 when there is none.
uint64_t FeedGate::latest_of(const Completion& completion, const FeedAccount* account) {
  const auto found = account->latest.find(std::string(completion.subject));
  return found == account->latest.end() ? 0 : found->second;
}

FeedAccounts::Replaced FeedGate::replaced_by(uint64_t latest) {
  const int64_t bytes = latest == 0 ? 0 : store_.bytes_of(latest);
  return {bytes > 0 ? 1 : 0, bytes};
}

bool FeedGate::drop_oldest_of(FeedAccount* account) {
  if (account->order.empty()) return false;
  const bool found = store_.drop(account->order.front());
  MARTLET_ASSERT(found);
  return true;
}

bool FeedGate::drop_oldest(const Completion& incoming) {
  const CompletionStore::Dropped dropped = store_.drop_oldest();
  if (dropped.loser != nullptr) note_slow(incoming, dropped.loser);
  return dropped.found;
}

// Counts a message that was lost at a bound; the first of an episode is told.
void FeedGate::note_slow(const Completion& completion, FeedAccount* account) {
  ++account->dropped_total;
  if (account->slow) return;
  account->slow = true;
  Completion event;
  event.kind = CompletionKind::slow_consumer;
  event.status = status_number(ErrorCode::slow_consumer);
  event.cookie = account->cookie;
  event.sid = account->sid;
  event.received_ns = completion.received_ns;
  const std::string text =
      fmt::format("subscription {} is behind: {} messages, {} bytes wait; {} dropped so far",
                  account->sid, account->messages, account->bytes, account->dropped_total);
  event.data = text;
  store_.append(event, nullptr);
}

std::vector<FeedSource*> FeedGate::take_ready() {
  std::vector<FeedSource*> ready;
  for (size_t i = 0; i < blocked_.size();) {
    if (!accounts_.has_room(blocked_[i].account)) {
      ++i;
      continue;
    }
    ready.push_back(blocked_[i].source);
    blocked_[i] = blocked_.back();
    blocked_.pop_back();
  }
  return ready;
}

void FeedGate::forget_source(FeedSource* source) {
  std::erase_if(blocked_, [source](const Blocked& b) { return b.source == source; });
}

void FeedGate::forget_account(FeedAccount* account) {
  for (Blocked& blocked : blocked_) {
    if (blocked.account == account) blocked.account = nullptr;
  }
}

}  // namespace martlet::client
