// SPDX-License-Identifier: Apache-2.0
//
// Owns the bookkeeping of calls under way.
#include "client/call_table.hpp"

#include <algorithm>

namespace martlet::client {
namespace {

constexpr char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
  if (c >= 'a' && c <= 'z') return c - 'a' + 36;
  return -1;
}

// 0 when the text is no number of ours.
uint64_t read_number(std::string_view text) {
  uint64_t value = 0;
  if (text.empty() || text.size() > 10) return 0;
  for (const char c : text) {
    const int digit = digit_value(c);
    if (digit < 0) return 0;
    value = value * 62 + static_cast<uint64_t>(digit);
  }
  return value;
}

}  // namespace

Batch make_single_batch(const Completion& c) {
  const size_t bytes = c.subject.size() + c.reply.size() + c.headers.size() + c.data.size();
  CompletionBlock* const block =
      CompletionBlock::create((sizeof(CompletionDescriptor) + bytes + 7) / 8 * 8);
  if (block == nullptr) return Batch();
  char* to = nullptr;
  CompletionDescriptor* const d = block->append(bytes, &to);
  fill_descriptor(*d, to, block->data(), c);
  const Batch batch(block, 0, 1);
  block->release();
  return batch;
}

void CallTable::complete(const CallTarget& target, const Completion& completion,
                         FeedWriter& writer) {
  if (target.queue != nullptr) {
    writer.feed(target.queue).add(completion);
  } else if (target.slot != nullptr) {
    target.slot->reply = make_single_batch(completion);
    target.slot->done.store(true, std::memory_order_release);
  }
}

void CallTable::complete_call(const CallTarget& target, CompletionKind kind, ErrorCode code,
                              FeedWriter& writer) {
  if (target.queue != nullptr) {
    Completion completion;
    completion.kind = kind;
    completion.cookie = target.cookie;
    completion.status = status_number(code);
    writer.feed(target.queue).add(completion);
  } else if (target.slot != nullptr) {
    target.slot->code = code;
    target.slot->done.store(true, std::memory_order_release);
  }
}

uint64_t CallTable::add_request(CallTarget target, int64_t replies_max, int64_t deadline_ns) {
  if (requests_.size() >= requests_max_) return 0;
  const uint64_t number = ++last_request_;
  Request request{std::move(target), replies_max, 0, deadline_ns >= 0, {}};
  if (request.has_deadline)
    request.deadline = deadlines_.emplace(deadline_ns, Deadline{true, number});
  requests_.emplace(number, std::move(request));
  return number;
}

std::string CallTable::reply_subject(uint64_t number) const {
  char text[12];
  size_t at = sizeof text;
  for (; number > 0; number /= 62) text[--at] = digits[number % 62];
  std::string subject;
  subject.reserve(inbox_.size() + sizeof text);
  subject.append(inbox_).append(text + at, sizeof text - at);
  return subject;
}

void CallTable::on_reply(std::string_view subject, Completion completion, bool is_no_responders,
                         FeedWriter& writer) {
  if (!subject.starts_with(inbox_)) return;
  const auto found = requests_.find(read_number(subject.substr(inbox_.size())));
  if (found == requests_.end()) return;  // Too late, or one answer too many.
  Request& request = found->second;
  const bool is_last = is_no_responders || request.replies_left == 1;
  if (request.replies_left > 0) --request.replies_left;
  completion.kind = CompletionKind::reply;
  completion.cookie = request.target.cookie;
  if (is_no_responders) {
    completion.status = status_number(ErrorCode::no_responders);
    completion.flags |= completion_flag_no_responders;
    if (request.target.slot != nullptr) request.target.slot->code = ErrorCode::no_responders;
  }
  if (!is_last) completion.flags |= completion_flag_more_follows;
  complete(request.target, completion, writer);
  if (!is_last) return;
  if (request.has_deadline) deadlines_.erase(request.deadline);
  requests_.erase(found);
}

void CallTable::forget_request(uint64_t number) {
  const auto found = requests_.find(number);
  if (found == requests_.end()) return;
  if (found->second.has_deadline) deadlines_.erase(found->second.deadline);
  requests_.erase(found);
}

uint64_t CallTable::add_ping(PingKind kind, CallTarget target, int32_t sid, int64_t deadline_ns) {
  Ping ping{++last_ping_, kind, std::move(target), sid, deadline_ns >= 0, {}};
  if (ping.has_deadline) ping.deadline = deadlines_.emplace(deadline_ns, Deadline{false, ping.id});
  pings_.push_back(std::move(ping));
  return last_ping_;
}

CallTable::Pong CallTable::on_pong(int64_t now_ns, FeedWriter& writer) {
  if (pings_.empty()) return Pong{};
  Ping ping = std::move(pings_.front());
  pings_.pop_front();
  if (ping.has_deadline) deadlines_.erase(ping.deadline);
  if (ping.target.slot != nullptr) ping.target.slot->answered_ns = now_ns;
  complete_call(ping.target, CompletionKind::flushed, ErrorCode::ok, writer);
  return Pong{ping.kind, ping.sid, true};
}

int64_t CallTable::expire(int64_t now_ns, FeedWriter& writer) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now_ns) {
    const Deadline deadline = deadlines_.begin()->second;
    if (deadline.is_request) {
      const auto found = requests_.find(deadline.id);
      complete_call(found->second.target, CompletionKind::reply, ErrorCode::timeout, writer);
      requests_.erase(found);
    } else {
      const auto found = std::find_if(pings_.begin(), pings_.end(),
                                      [&](const Ping& p) { return p.id == deadline.id; });
      complete_call(found->target, CompletionKind::flushed, ErrorCode::timeout, writer);
      found->target = CallTarget{};
      found->has_deadline = false;
    }
    deadlines_.erase(deadlines_.begin());  // Last: where memory fails, it is tried again.
  }
  return next_deadline_ns();
}

void CallTable::fail_pings(ErrorCode code, FeedWriter& writer) {
  // One by one: where memory fails, the rest is told later.
  for (; !pings_.empty(); pings_.pop_front()) {
    const Ping& ping = pings_.front();
    complete_call(ping.target, CompletionKind::flushed, code, writer);
    if (ping.has_deadline) deadlines_.erase(ping.deadline);
  }
}

void CallTable::note_published(uint64_t number, int64_t publish_number, FeedWriter& writer) {
  const auto found = requests_.find(number);
  if (found == requests_.end()) return;  // Answered already.
  found->second.publish_number = publish_number;
  if (publish_number > last_lost_) return;
  complete_call(found->second.target, CompletionKind::reply, ErrorCode::disconnected, writer);
  forget_request(number);
}

void CallTable::fail_lost(int64_t last_publish_number, FeedWriter& writer) {
  fail_pings(ErrorCode::disconnected, writer);
  last_lost_ = last_publish_number;
  for (auto next = requests_.begin(); next != requests_.end();) {
    const auto request = next++;
    const int64_t published = request->second.publish_number;
    if (published == 0 || published > last_lost_) continue;
    complete_call(request->second.target, CompletionKind::reply, ErrorCode::disconnected, writer);
    forget_request(request->first);
  }
}

void CallTable::fail_all(ErrorCode code, FeedWriter& writer) {
  fail_pings(code, writer);
  for (; !requests_.empty(); requests_.erase(requests_.begin())) {
    complete_call(requests_.begin()->second.target, CompletionKind::reply, code, writer);
  }
  deadlines_.clear();
}

}  // namespace martlet::client
