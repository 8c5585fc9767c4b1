// SPDX-License-Identifier: Apache-2.0
//
// Owns the client of the C++ runner over martlet/cpp.
#include "parity_client.hpp"

namespace martlet::parity {

using Clock = std::chrono::steady_clock;

std::optional<json::value> Log::take_if(int32_t timeout_ms,
                                        const std::function<bool(const json::value&)>& wanted) {
  const Clock::time_point until = Clock::now() + Milliseconds(timeout_ms);
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
      if (!wanted(*entry)) continue;
      std::optional<json::value> found = std::move(*entry);
      entries_.erase(entry);
      return found;
    }
    if (changed_.wait_until(lock, until) == std::cv_status::timeout) return std::nullopt;
  }
}

void Gate::open() {
  const std::lock_guard<std::mutex> lock(mutex_);
  open_ = true;
  changed_.notify_all();
}

void Gate::wait() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait_for(lock, std::chrono::seconds(10), [this] { return open_; });
}

Reader::Reader(Client& of_client, const json::object& step, std::string_view subject,
               Callback callback, int64_t cookie)
    : client(of_client), callback_(std::move(callback)) {
  if (!callback_) queue_.emplace();
  const json::value* const options = step.if_contains("options");
  subscription_.emplace(client.connection.get(), subject, text_of(step, "queue"),
                        options == nullptr ? "" : json::serialize(*options),
                        queue_ ? queue_->get() : client.queue.get(), cookie);
}

json::value Reader::next(int32_t timeout_ms, std::string* out_data) {
  const Clock::time_point until = Clock::now() + Milliseconds(timeout_ms);
  for (;;) {
    while (at_ < batch_.count()) {
      const martlet_descriptor& descriptor = batch_.at(at_++);
      if (descriptor.kind == MARTLET_KIND_SUBSCRIPTION_END) ended_ = true;
      if (descriptor.kind == MARTLET_KIND_SLOW_CONSUMER) client.tell(MARTLET_ERR_SLOW_CONSUMER);
      if (descriptor.kind != MARTLET_KIND_MESSAGE) continue;
      const Message message = copy_of(batch_, descriptor);
      ++handled_;
      if (out_data != nullptr) *out_data = message.data;
      return shown(message);
    }
    if (ended_) return json::value(name_of(MARTLET_ERR_CLOSED));
    const int64_t left = std::chrono::duration_cast<Milliseconds>(until - Clock::now()).count();
    at_ = 0;
    // One at a time: what is counted as pending is then what has not been asked for.
    const martlet_status status =
        queue_->poll(1, static_cast<int32_t>(std::max<int64_t>(left, 0)), batch_);
    if (status == MARTLET_DONE) ended_ = true;
    if (status != MARTLET_OK) batch_ = cpp::Batch();
    if (status == MARTLET_AGAIN) return json::value(name_of(MARTLET_ERR_TIMEOUT));
  }
}

void Reader::unsubscribe() {
  subscription_->unsubscribe();
  left_ = true;
}

void Reader::drain() {
  if (!left_ && subscription_) subscription_->drain();
}

json::value Reader::counts() const {
  const cpp::SubscriptionCounts counts = subscription_->counts();
  return {{"pending", counts.pending_messages},
          {"dropped", counts.dropped_messages},
          {"delivered", counts.delivered_messages}};
}

bool Reader::is_read() const {
  if (left_ || !subscription_) return true;
  const cpp::SubscriptionCounts counts = subscription_->counts();
  return handled_ >= counts.delivered_messages - counts.dropped_messages;
}

void Reader::call(const Message& message) {
  if (left_) return;
  try {
    callback_(message);
  } catch (const Thrown&) {
    client.errors.push("thrown");
  }
  ++handled_;
}

Client::Client(martlet_server* server, const std::string& options)
    : connection(server == nullptr ? cpp::Connection(options, queue.get(), 0)
                                   : cpp::Connection(server, options, queue.get(), 0)),
      thread_([this] { run(); }) {}

Client::~Client() {
  connection.close();
  queue.close();
  for (std::thread& drain : drains_) drain.join();
  thread_.join();
  readers_.clear();
}

std::shared_ptr<Reader> Client::subscribe(const json::object& step, std::string_view subject,
                                          Reader::Callback callback) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (draining_) throw cpp::Error(MARTLET_ERR_DRAINING, "the connection drains");
  const int64_t cookie = static_cast<int64_t>(readers_.size()) + 1;
  auto reader = std::make_shared<Reader>(*this, step, subject, std::move(callback), cookie);
  readers_[cookie] = reader;
  const int64_t messages_max = number_of(step, "max_messages", 0);
  if (messages_max > 0) reader->auto_unsubscribe(messages_max);
  return reader;
}

void Client::publish(const cpp::Outgoing& message) {
  while (connection.publish(message) == MARTLET_AGAIN) {
    connection.wait_capacity(static_cast<int64_t>(message.data.size()), -1);
  }
}

int32_t Client::state() const {
  const int32_t state = connection.state();
  return draining_ && state == MARTLET_STATE_CONNECTED ? MARTLET_STATE_DRAINING : state;
}

void Client::drain(int32_t timeout_ms) {
  const Clock::time_point until = Clock::now() + Milliseconds(timeout_ms);
  if (connection.state() != MARTLET_STATE_CONNECTED) connection.drain(0);  // Says why not.
  draining_ = true;
  try {
    for (const std::shared_ptr<Reader>& reader : readers()) {
      try {
        reader->drain();
      } catch (const cpp::Error& error) {
        if (error.status() != MARTLET_ERR_CLOSED) throw;  // It has ended by itself.
      }
    }
    connection.flush(timeout_ms);
    for (const std::shared_ptr<Reader>& reader : readers()) {
      while (!reader->is_read() && Clock::now() < until)
        std::this_thread::sleep_for(Milliseconds(2));
    }
    const bool in_time = Clock::now() < until;
    if (in_time) return connection.drain(timeout_ms);
  } catch (...) {
    connection.close();
    throw;
  }
  connection.close();
  throw cpp::Error(MARTLET_ERR_TIMEOUT, "the drain took too long");
}

void Client::drain_later(int32_t timeout_ms) {
  const std::lock_guard<std::mutex> lock(mutex_);
  drains_.emplace_back([this, timeout_ms] {
    try {
      drain(timeout_ms);
    } catch (const cpp::Error& error) {
      tell(error.status());
    }
  });
}

void Client::tell(martlet_status status) {
  if (status < 0) errors.push(json::value(name_of(status)));
}

std::vector<std::shared_ptr<Reader>> Client::readers() {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::shared_ptr<Reader>> all;
  for (const auto& entry : readers_) all.push_back(entry.second);
  return all;
}

void Client::run() {
  cpp::Batch batch;
  constexpr int32_t messages_max = 1024;
  while (queue.poll(messages_max, -1, batch) != MARTLET_DONE) {
    for (int32_t i = 0; i < batch.count(); ++i) on_descriptor(batch, batch.at(i));
    batch = cpp::Batch();
  }
}

void Client::on_descriptor(const cpp::Batch& batch, const martlet_descriptor& descriptor) {
  switch (descriptor.kind) {
    case MARTLET_KIND_MESSAGE: {
      std::shared_ptr<Reader> reader;
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        reader = readers_[descriptor.cookie];
      }
      return reader->call(copy_of(batch, descriptor));
    }
    case MARTLET_KIND_ERROR:
    case MARTLET_KIND_SLOW_CONSUMER:
      return tell(descriptor.status);
    case MARTLET_KIND_DISCONNECTED:
      tell(descriptor.status);
      return events.push("disconnected");
    case MARTLET_KIND_RECONNECTED:
      return events.push("reconnected");
    case MARTLET_KIND_CLOSED:
      tell(descriptor.status);
      return events.push("closed");
    case MARTLET_KIND_LAME_DUCK:
      return events.push("lame_duck");
    case MARTLET_KIND_DISCOVERED_SERVERS:
      return events.push("discovered_servers");
    default:
      return;
  }
}

}  // namespace martlet::parity
