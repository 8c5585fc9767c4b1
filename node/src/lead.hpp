// SPDX-License-Identifier: Apache-2.0
//
// Owns who reads the sockets of an environment's connections: its event loop, so that an answer
// needs no hop between threads, or, while much comes or the loop is busy, one thread beside it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "event_loop.hpp"
#include "martlet/cpp/connection.hpp"
#include "notifier.hpp"
#include "publisher.hpp"

namespace martlet::node {

/// Of connections with "run": "lent". Lifecycle: made with the environment, stopped before it ends.
/// Thread: the environment's, but for what its own thread does.
class Lead : public Woken {
 public:
  /// Null where the event loop cannot read sockets for us: connections then need "run": "thread".
  static std::unique_ptr<Lead> create(napi_env env, napi_async_context context,
                                      std::shared_ptr<Notifier> notifier);
  ~Lead() override;
  Lead(const Lead&) = delete;
  Lead& operator=(const Lead&) = delete;

  /// From now on the connection, which has been started, moves. Answers what remove() wants. Throws
  /// cpp::Error when there is no descriptor or no thread to be had.
  int64_t add(cpp::Connection& connection);
  /// Afterwards nobody is inside it. Safe to call with what was removed.
  void remove(int64_t number);
  void stop();

  /// So many messages were read: much at once is the thread's work.
  void note_read(int64_t messages) {
    work_ += messages;
    if (work_ >= much_work && !thread_leads_.load(std::memory_order_relaxed)) weigh();
  }
  /// One was published: what was not written at once is, before the event loop waits.
  void note_published(Outlet& outlet) {
    if (!outlet.is_noted) want_write(outlet);
    note_read(1);
  }
  /// Writes what was published, as far as the socket takes it.
  void write(int64_t number);
  /// The connection has been turned by a call of the environment's thread: its times may have.
  void note_turned(int64_t number);
  bool thread_leads() const { return thread_leads_; }
  /// The event loop was woken by the library, and what waited has been told.
  void after_wake();
  void on_wake() override;

 private:
  static constexpr int64_t much_work = 128;

  struct Led;
  Lead(std::shared_ptr<EventLoop> loop, std::shared_ptr<Notifier> notifier);
  void create_descriptors();
  void start_thread();

  // The environment's thread.
  void start();
  void serve_here(Led& led, bool waits);
  void on_readable(int64_t number);
  void want_write(Outlet& outlet);
  void on_before_wait();
  void weigh();
  void hand_over();
  void call_back(Led& led);
  void write(Led& led);

  // Either.
  enum class Served : uint8_t { done, by_other, over };
  Served serve(Led& led, bool waits);
  std::shared_ptr<Led> find(int64_t number) const;
  void wake_thread();

  // Its own thread.
  void run();
  void take();
  bool is_left_alone(bool is_readable) const;
  void lead_for_a_turn();
  void watch();
  int64_t wait_ms() const;
  std::vector<std::shared_ptr<Led>> due() const;
  int wait(int64_t* out_numbers, int64_t timeout_ms);
  void gather();
  bool nap();

  const std::shared_ptr<EventLoop> loop_;
  const std::shared_ptr<Notifier> notifier_;
  std::unique_ptr<BeforeWait> before_wait_;
  std::vector<std::shared_ptr<Outlet>> published_;  // Since the event loop waited.
  int64_t number_ = 0;                              // To the notifier.
  int64_t last_number_ = 0;
  int64_t work_ = 0;  // Since work_began_ns_, or since the event loop was woken.
  int64_t work_began_ns_ = 0;
  int64_t handed_over_ns_ = 0;
  int quiet_wakes_ = 0;  // In a row.
  bool is_stopped_ = false;

  int epoll_ = -1;
  int wake_ = -1;
  std::thread thread_;
  std::atomic<bool> thread_leads_{false};
  std::atomic<bool> is_asked_back_{false};
  std::atomic<bool> thread_stops_{false};
  std::atomic<uint64_t> served_{0};  // By the event loop.
  // The thread, whoever leads, unless it is told of something nearer; 0: it is awake.
  std::atomic<int64_t> sleeps_until_ns_{0};
  mutable std::mutex mutex_;
  std::unordered_map<int64_t, std::shared_ptr<Led>> all_;  // GUARDED_BY mutex_
};

}  // namespace martlet::node
