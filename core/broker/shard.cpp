// SPDX-License-Identifier: Apache-2.0
//
// Owns routing and delivery on one loop. A message is delivered in the order in which it was
// published here; what goes to another loop keeps its order because a pair of loops has one batch.
#include "broker/shard.hpp"

#include "base/assert.hpp"
#include "base/out_of_memory.hpp"
#include "broker/session.hpp"
#include "subject/subject.hpp"

namespace martlet::broker {
namespace {

constexpr std::string_view lost_message = "Out of memory: a message inside the server is lost";

}  // namespace

// From the first receiver of a message to its last, also when memory fails between them.
class Shard::Delivering {
 public:
  explicit Delivering(Shard& shard) : shard_(shard) { shard_.is_delivering_ = true; }
  ~Delivering() {
    shard_.is_delivering_ = false;
    if (shard_.has_outbound_)
      std::fill(shard_.message_open_.begin(), shard_.message_open_.end(), uint8_t{0});
  }
  Delivering(const Delivering&) = delete;
  Delivering& operator=(const Delivering&) = delete;

 private:
  Shard& shard_;
};

Shard::Shard(const Setup& setup)
    : setup_(setup),
      chunks_(*setup.budget),
      subscriptions_(*setup.budget),
      routes_(setup.index, setup.seed, *setup.budget),
      random_(setup.seed + setup.index),
      outbound_(setup.shard_count),
      message_open_(setup.shard_count) {}

Shard::~Shard() { subscriptions_.free_retired(); }

SubscribeResult Shard::subscribe(Session& session, std::string_view pattern, std::string_view queue,
                                 std::string_view sid) {
  if (!subject::is_valid(pattern)) return SubscribeResult::invalid_subject;
  const auth::Permissions* permissions = session.permissions();
  const bool filters_delivery =
      permissions != nullptr && permissions->filters_delivery(pattern, queue);
  if (!session.subscriptions().reserve_one()) return SubscribeResult::out_of_memory;
  Subscription* subscription = subscriptions_.make(sid);
  if (subscription == nullptr) return SubscribeResult::out_of_memory;
  subscription->session = &session;
  subscription->loop = setup_.index;
  subscription->filters_delivery = filters_delivery;
  if (!session.account().routing().insert(pattern, queue, subscription)) {
    subscriptions_.retire(subscription);
    return SubscribeResult::out_of_memory;
  }
  session.subscriptions().insert(subscription);
  return SubscribeResult::ok;
}

void Shard::unsubscribe(Subscription& subscription) {
  if (subscription.is_closed) return;
  Session& session = *subscription.session;
  session.subscriptions().erase(&subscription);
  session.account().routing().remove(&subscription);
  subscriptions_.retire(&subscription);
}

Subscription* Shard::subscribe(Account& account, InternalHandler& handler, std::string_view pattern,
                               std::string_view queue) {
  if (!subject::is_valid(pattern)) return nullptr;
  Subscription* subscription = subscriptions_.make("internal");
  if (subscription == nullptr) return nullptr;
  subscription->kind = ReceiverKind::internal_handler;
  subscription->handler = &handler;
  subscription->loop = setup_.index;
  if (!account.routing().insert(pattern, queue, subscription)) {
    subscriptions_.retire(subscription);
    return nullptr;
  }
  return subscription;
}

void Shard::unsubscribe(Account& account, Subscription& subscription) {
  if (subscription.is_closed) return;
  account.routing().remove(&subscription);
  subscriptions_.retire(&subscription);
}

void Shard::unsubscribe_all(Session& session) {
  std::vector<Subscription*> all;
  all.reserve(session.subscriptions().size());
  session.subscriptions().for_each(
      [&](Subscription& subscription) { all.push_back(&subscription); });
  for (Subscription* subscription : all) unsubscribe(*subscription);
}

bool Shard::unsubscribe_some(Session& session, size_t count_max) {
  for (size_t count = 0; count < count_max; count++) {
    Subscription* subscription = session.subscriptions().drain_one();
    if (subscription == nullptr) break;
    session.account().routing().remove(subscription);
    subscriptions_.retire(subscription);
  }
  return session.subscriptions().size() == 0;
}

void Shard::expect_session() {
  reserve_for(dirty_, session_count_ + 1);
  reserve_for(ended_, session_count_ + 1);
  session_count_ += 1;
}

void Shard::mark_dirty(Session& session) { dirty_.push_back(&session); }
void Shard::mark_ended(Session& session) { ended_.push_back(&session); }

void Shard::forget(Session& session) {
  std::erase(dirty_, &session);
  std::erase(ended_, &session);
  session_count_ -= 1;
}

bool Shard::publish(Account& account, Message& message) {
  if (is_delivering_) {
    auto deferred = std::make_unique<RemoteBatch>();
    deferred->begin_message(account, message);
    deferred_.push_back(std::move(deferred));
    return true;
  }
  bool delivered = true;
  const bool fits = fits_into_memory([&] { delivered = route(account, message); });
  if (!deferred_.empty()) run_deferred();
  if (fits) return delivered;
  if (message.publisher != nullptr) {
    message.publisher->on_out_of_memory();
  } else {
    log_without_memory(lost_message);
  }
  return true;
}

// What internal handlers published while messages were being delivered. Each may publish again;
// that is done behind it.
void Shard::run_deferred() {
  while (!deferred_.empty()) {
    std::vector<std::unique_ptr<RemoteBatch>> batches;
    batches.swap(deferred_);
    for (const std::unique_ptr<RemoteBatch>& batch : batches) {
      const RemoteBatch::Record& record = batch->record(0);
      Message message = batch->message(record);
      // Nobody waits for it: the handler that published it is done.
      if (!fits_into_memory([&] { route(*record.account, message); }))
        log_without_memory(lost_message);
    }
  }
}

bool Shard::route(Account& account, Message& message) {
  const Route& route = routes_.find(account, message.subject);
  share_left_ -= route.cost;
  if (route.is_empty()) return false;
  prepare(message);
  const Delivering delivering(*this);
  bool delivered = false;
  for (Subscription* subscription : route.local)
    delivered |= deliver(account, *subscription, message);
  for (const RemoteReceiver& receiver : route.remote) {
    hand_over(account, message, receiver.loop, {receiver.handle, 0});
    delivered = true;
  }
  for (const RouteGroup& group : route.groups)
    delivered |= deliver_to_group(account, route, group, message);
  return delivered;
}

bool Shard::deliver_to_group(Account& account, const Route& route, const RouteGroup& group,
                             const Message& message) {
  const uint32_t count = group.end - group.begin;
  uint32_t at = count > 1 ? random_.below(count) : 0;
  for (uint32_t tried = 0; tried < count; tried++) {
    const GroupMember& member = route.members[group.begin + at];
    if (member.local == nullptr) {
      hand_over(account, message, member.remote.loop, {member.remote.handle, group.name_hash});
      return true;
    }
    if (deliver(account, *member.local, message)) return true;
    share_left_ -= 1;
    at = at + 1 == count ? 0 : at + 1;
  }
  return false;
}

void Shard::hand_over(Account& account, const Message& message, uint32_t loop,
                      const RemoteBatch::Receiver& receiver) {
  std::unique_ptr<RemoteBatch>& batch = outbound_[loop];
  if (batch == nullptr) batch = std::make_unique<RemoteBatch>();
  has_outbound_ = true;
  if (message_open_[loop] == 0) {
    batch->begin_message(account, message);
    message_open_[loop] = 1;
    statistics_.remote_msgs += 1;
  }
  batch->add_receiver(receiver);
}

bool Shard::deliver(Account& account, Subscription& subscription, const Message& message) {
  if (subscription.is_closed) return false;
  if (subscription.kind == ReceiverKind::internal_handler) {
    deliver_to_handler(subscription, message);
    return true;
  }
  Session& session = *subscription.session;
  if (&session == message.publisher && !session.echoes()) return false;
  if (!session.takes_messages()) return false;
  if (subscription.filters_delivery && holds_back(account, subscription, message)) return false;
  subscription.delivered += 1;
  session.write_message(subscription, message);
  if (subscription.max > 0 && subscription.delivered >= subscription.max) unsubscribe(subscription);
  return true;
}

// The broker's own receivers have no connection that could end: one that finds no memory has lost
// this message.
void Shard::deliver_to_handler(Subscription& subscription, const Message& message) {
  subscription.delivered += 1;
  if (!fits_into_memory([&] { subscription.handler->on_message(message); }))
    log_without_memory(lost_message);
}

bool Shard::holds_back(Account& account, Subscription& subscription, const Message& message) {
  bool allowed = false;
  Session& session = *subscription.session;
  const bool fits = fits_into_memory([&] {
    const std::string queue = account.routing().queue_of(&subscription);
    allowed = session.permissions()->may_deliver(message.subject, queue);
  });
  if (!fits) session.on_out_of_memory();
  return !allowed;
}

void Shard::log_without_memory(std::string_view line) {
  (void)fits_into_memory([&] { setup_.log.write(LogLevel::error, line); });
}

void Shard::deliver(const RemoteBatch& batch) {
  MARTLET_ASSERT(!is_delivering_);
  for (size_t i = 0; i < batch.record_count(); i++) {
    deliver(batch, batch.record(i));
    if (!deferred_.empty()) run_deferred();
  }
}

void Shard::deliver(const RemoteBatch& batch, const RemoteBatch::Record& record) {
  Message message = batch.message(record);
  prepare(message);
  const Delivering delivering(*this);
  const RemoteBatch::Receiver* receivers = batch.receivers(record);
  for (uint32_t r = 0; r < record.receiver_count; r++) {
    Subscription* subscription = subscriptions_.find(receivers[r].handle);
    const bool delivered =
        subscription != nullptr && deliver(*record.account, *subscription, message);
    if (delivered || receivers[r].queue_hash == 0) continue;
    const uint64_t queue_hash = receivers[r].queue_hash;
    // To find somebody else takes memory; the publisher is on another loop and knows nothing of it.
    if (!fits_into_memory([&] { deliver_group_again(*record.account, queue_hash, message); }))
      log_without_memory(lost_message);
  }
}

// The member that another loop had chosen left in the meantime: somebody else of its group gets the
// message.
void Shard::deliver_group_again(Account& account, uint64_t queue_hash, const Message& message) {
  std::vector<GroupMember> members;
  account.routing().match(
      message.subject, scratch_match_, [&](const subject::Match& match, const auto& trie) {
        for (const subject::GroupMatch& group : match.groups) {
          if (queue_name_hash(trie.queue_of(match.members[group.begin])) != queue_hash) continue;
          for (uint32_t i = group.begin; i < group.end; i++) {
            Subscription* member = static_cast<Subscription*>(match.members[i]);
            const bool is_local = member->loop == setup_.index;
            members.push_back({is_local ? member : nullptr, {member->loop, member->handle}});
          }
        }
      });
  // Members here first: a message must not wander between loops for ever.
  for (const GroupMember& member : members) {
    if (member.local != nullptr && deliver(account, *member.local, message)) return;
  }
  for (const GroupMember& member : members) {
    if (member.local != nullptr) continue;
    message_open_[member.remote.loop] = 0;
    hand_over(account, message, member.remote.loop, {member.remote.handle, queue_hash});
    message_open_[member.remote.loop] = 0;
    return;
  }
}

Subscription* Shard::find_plain(Session& session, std::string_view subject) {
  Subscription* found = nullptr;
  session.account().routing().match(
      subject, scratch_match_, [&](const subject::Match& match, const auto&) {
        for (subject::TrieEntry* entry : match.plain) {
          if (entry->loop != setup_.index) continue;
          Subscription* subscription = static_cast<Subscription*>(entry);
          if (subscription->kind == ReceiverKind::session && subscription->session == &session) {
            found = subscription;
            return;
          }
        }
      });
  return found;
}

}  // namespace martlet::broker
