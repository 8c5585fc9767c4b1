// SPDX-License-Identifier: Apache-2.0
//
// Owns what is asked of the event loop under JavaScript: to tell when a descriptor can be read and
// when a time has come. It is libuv's, whose functions are looked up in the running program: no
// package brings its header, and a runtime that is built on something else has none of them.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <functional>
#include <memory>

struct uv_loop_s;

namespace martlet::node {

class EventLoop;
struct LoopHandles;

/// A descriptor on an event loop, and a time. Neither keeps the loop alive. Thread: the
/// environment's.
class LoopWatch {
 public:
  /// `call` is called when the descriptor can be read, again until nothing is left, or when the
  /// time has come. The descriptor stays open until the watch has ended.
  LoopWatch(EventLoop& loop, int descriptor, std::function<void()> call);
  ~LoopWatch();
  LoopWatch(const LoopWatch&) = delete;
  LoopWatch& operator=(const LoopWatch&) = delete;

  /// Without it nothing is told; see `is_made`.
  bool is_made() const { return handles_ != nullptr; }
  void start();
  void stop();
  bool is_started() const { return is_started_; }
  /// In how long it is called at the latest; below 0: whenever. Forgotten when it is called.
  void call_in(int64_t milliseconds);

 private:
  friend struct LoopHandles;
  LoopHandles* handles_ = nullptr;  // The loop lets go of them some time after they were closed.
  bool is_started_ = false;
};

/// The moment at which the loop is about to wait, once. Does not keep the loop alive. Thread: the
/// environment's.
class BeforeWait {
 public:
  BeforeWait(EventLoop& loop, std::function<void()> call);
  ~BeforeWait();
  BeforeWait(const BeforeWait&) = delete;
  BeforeWait& operator=(const BeforeWait&) = delete;
  bool is_made() const { return handles_ != nullptr; }
  void want();

 private:
  LoopHandles* handles_ = nullptr;
};

/// Lifecycle: made when the addon is loaded in an environment; what was started on it may end after
/// it, which the environment waits for.
class EventLoop {
 public:
  /// Null where the loop is not libuv's. `context`: what callbacks run in; it outlives the loop's
  /// use of it.
  static std::shared_ptr<EventLoop> of(napi_env env, napi_async_context context);
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// No callback runs any more.
  void end() { context_ = nullptr; }

  /// Runs `body`, which may call JavaScript, as a callback of the loop: promises go on after it.
  template <typename Body>
  void run_callback(Body&& body) {
    napi_handle_scope handles = nullptr;
    napi_callback_scope callback = nullptr;
    if (!open(&handles, &callback)) return;
    body();
    close(handles, callback);
  }

 private:
  friend class LoopWatch;
  friend class BeforeWait;
  friend struct LoopHandles;
  struct End;

  EventLoop(napi_env env, napi_async_context context, uv_loop_s* loop, End* end)
      : env_(env), loop_(loop), end_(end), context_(context) {}
  bool open(napi_handle_scope* handles, napi_callback_scope* callback);
  void close(napi_handle_scope handles, napi_callback_scope callback);

  napi_env env_;
  uv_loop_s* loop_;
  End* end_;
  napi_async_context context_;
};

}  // namespace martlet::node
