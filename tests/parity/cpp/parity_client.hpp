// SPDX-License-Identifier: Apache-2.0
//
// Owns what a language's package has and the C ABI has not: a thread for each connection that calls
// callbacks, a subscription that is asked for its next message, and draining until all is read.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "martlet/cpp/subscription.hpp"
#include "scenario_text.hpp"

namespace martlet::parity {

/// What is written by one thread and waited for by another, in its order.
class Log {
 public:
  void push(json::value entry) {
    const std::lock_guard<std::mutex> lock(mutex_);
    entries_.push_back(std::move(entry));
    changed_.notify_all();
  }
  std::optional<json::value> take(int32_t timeout_ms) {
    return take_if(timeout_ms, [](const json::value&) { return true; });
  }
  /// The first that is wanted; the others stay.
  std::optional<json::value> take_if(int32_t timeout_ms,
                                     const std::function<bool(const json::value&)>& wanted);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<json::value> entries_;
};

/// A gate that callbacks wait at until it is opened.
class Gate {
 public:
  void open();
  void wait();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

class Client;

/// One subscription of a Client; read by next(), or with a callback that the client calls.
class Reader {
 public:
  using Callback = std::function<void(const Message&)>;

  Reader(Client& client, const json::object& step, std::string_view subject, Callback callback,
         int64_t cookie);
  /// The next message as it is shown, or the name of a status. Of one without a callback.
  json::value next(int32_t timeout_ms, std::string* out_data);
  void unsubscribe();
  void auto_unsubscribe(int64_t messages_max) { subscription_->auto_unsubscribe(messages_max); }
  void drain();
  void drop() { subscription_.reset(); }
  json::value counts() const;
  bool is_read() const;
  void call(const Message& message);

  Client& client;

 private:
  Callback callback_;
  std::optional<cpp::Queue> queue_;  // Of one without a callback.
  std::optional<cpp::Subscription> subscription_;
  cpp::Batch batch_;
  int32_t at_ = 0;
  bool ended_ = false;
  std::atomic<bool> left_ = false;  // Unsubscribed: nobody waits for what is unread.
  std::atomic<int64_t> handled_ = 0;
};

/// A connection and the thread that calls its callbacks and hears its events.
class Client {
 public:
  /// Not connected yet; `server` is NULL for one over TCP.
  Client(martlet_server* server, const std::string& options);
  ~Client();

  std::shared_ptr<Reader> subscribe(const json::object& step, std::string_view subject,
                                    Reader::Callback callback);
  void publish(const cpp::Outgoing& message);
  /// MARTLET_STATE_...; one that reads its subscriptions to their ends drains already.
  int32_t state() const;
  void drain(int32_t timeout_ms);
  /// Of a thread that calls callbacks: only begins.
  bool is_in_callback() const { return std::this_thread::get_id() == thread_.get_id(); }
  void drain_later(int32_t timeout_ms);
  void tell(martlet_status status);

  cpp::Queue queue;  // Of the events, and of all messages that have callbacks.
  cpp::Connection connection;
  Log events;
  Log errors;

 private:
  friend class Reader;
  void run();
  void on_descriptor(const cpp::Batch& batch, const martlet_descriptor& descriptor);
  std::vector<std::shared_ptr<Reader>> readers();
  std::mutex mutex_;
  std::map<int64_t, std::shared_ptr<Reader>> readers_;
  std::atomic<bool> draining_ = false;
  std::vector<std::thread> drains_;
  std::thread thread_;
};

inline std::string name_of(martlet_status status) { return martlet_status_name(status, nullptr); }

}  // namespace martlet::parity
