// SPDX-License-Identifier: Apache-2.0
//
// Owns the way from the library's threads to the event loop: one threadsafe function for each
// environment, whose calls carry nothing. It is called once while queues are noted as ready; the
// environment's thread then lets each of them run what it was told to.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

namespace martlet::node {

/// Who is woken. Thread: the environment's.
class Woken {
 public:
  virtual ~Woken() = default;
  virtual void on_wake() = 0;
};

/// Lifecycle: create, then add, note and remove in any order; stop, after which nobody is woken.
class Notifier {
 public:
  explicit Notifier(napi_env env) : env_(env) {}
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  bool create();
  /// The environment's thread.
  int64_t add(Woken* woken);
  void remove(int64_t number);
  /// Whether the event loop stays alive for what may come.
  void set_kept(bool kept);
  void stop();
  /// Any thread; does not wait.
  void note(int64_t number);
  /// The environment's thread is about to do the library's work: what that notes needs no call.
  void begin_inside();
  /// Whether something was noted: wake_noted() is wanted.
  bool end_inside();
  /// Wakes who was noted. The environment's thread, in a callback of its loop.
  void wake_noted();
  /// Called when the loop was woken by a call, after those that were noted.
  void set_after_wake(std::function<void()> after) { after_wake_ = std::move(after); }

 private:
  static void on_loop(napi_env env, napi_value function, void* context, void* data);

  napi_env env_;
  napi_threadsafe_function function_ = nullptr;
  std::unordered_map<int64_t, Woken*> woken_;  // The environment's thread.
  int64_t last_number_ = 0;
  std::function<void()> after_wake_;
  std::mutex mutex_;
  bool stopped_ = false;    // GUARDED_BY mutex_, as what follows.
  bool called_ = false;     // The loop has been called, and has not come yet.
  std::thread::id inside_;  // Who will look at what was noted without being called.
  std::vector<int64_t> noted_;
};

/// What the wake-up callback of a queue carries.
struct WakeTarget {
  std::shared_ptr<Notifier> notifier;
  int64_t number = 0;
};

}  // namespace martlet::node
