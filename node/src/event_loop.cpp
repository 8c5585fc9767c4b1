// SPDX-License-Identifier: Apache-2.0
//
// Owns the use of libuv. Its numbers and signatures are those of its stable ABI 1.x
// (https://docs.libuv.org/en/v1.x/poll.html, timer.html, handle.html).
#include "event_loop.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <utility>

namespace martlet::node {
namespace {

struct uv_handle;
using ReadableCall = void (*)(uv_handle* handle, int status, int events);
using HandleCall = void (*)(uv_handle* handle);

constexpr int uv_poll_type = 8;
constexpr int uv_prepare_type = 9;
constexpr int uv_timer_type = 13;
constexpr int uv_readable = 1;
// The loop's clock stands still during its turn.
constexpr int64_t clock_lag_ms = 2;

struct Libuv {
  size_t (*handle_size)(int type);
  void (*handle_set_data)(uv_handle* handle, void* data);
  void* (*handle_get_data)(const uv_handle* handle);
  void (*unref)(uv_handle* handle);
  void (*close)(uv_handle* handle, HandleCall call);
  uint64_t (*now)(const uv_loop_s* loop);
  int (*poll_init)(uv_loop_s* loop, uv_handle* handle, int descriptor);
  int (*poll_start)(uv_handle* handle, int events, ReadableCall call);
  int (*poll_stop)(uv_handle* handle);
  int (*prepare_init)(uv_loop_s* loop, uv_handle* handle);
  int (*prepare_start)(uv_handle* handle, HandleCall call);
  int (*prepare_stop)(uv_handle* handle);
  int (*timer_init)(uv_loop_s* loop, uv_handle* handle);
  int (*timer_start)(uv_handle* handle, HandleCall call, uint64_t in_ms, uint64_t repeat_ms);
};

template <typename Function>
bool find(Function* out, const char* name) {
  *out = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
  return *out != nullptr;
}

/// Null where one is missing.
const Libuv* libuv() {
  static const std::pair<Libuv, bool> found = [] {
    Libuv uv{};
    const bool is_whole =
        find(&uv.handle_size, "uv_handle_size") &&
        find(&uv.handle_set_data, "uv_handle_set_data") &&
        find(&uv.handle_get_data, "uv_handle_get_data") && find(&uv.unref, "uv_unref") &&
        find(&uv.close, "uv_close") && find(&uv.now, "uv_now") &&
        find(&uv.poll_init, "uv_poll_init") && find(&uv.poll_start, "uv_poll_start") &&
        find(&uv.poll_stop, "uv_poll_stop") && find(&uv.prepare_init, "uv_prepare_init") &&
        find(&uv.prepare_start, "uv_prepare_start") && find(&uv.prepare_stop, "uv_prepare_stop") &&
        find(&uv.timer_init, "uv_timer_init") && find(&uv.timer_start, "uv_timer_start");
    return std::pair(uv, is_whole);
  }();
  return found.second ? &found.first : nullptr;
}

}  // namespace

/// Keeps the environment until the loop has let go of every handle.
struct EventLoop::End {
  int64_t open = 0;
  napi_async_cleanup_hook_handle hook = nullptr;
  bool is_wanted = false;

  static void want(napi_async_cleanup_hook_handle, void* data) {
    End* const self = static_cast<End*>(data);
    self->is_wanted = true;
    self->end_if_possible();
  }
  void end_if_possible() {
    if (!is_wanted || open > 0) return;
    napi_remove_async_cleanup_hook(hook);
    delete this;
  }
};

/// What the loop knows of one of ours. Lifecycle: until the loop has let go of all.
struct LoopHandles {
  explicit LoopHandles(EventLoop& its_loop, std::function<void()> its_call)
      : loop(its_loop.loop_), end(its_loop.end_), call(std::move(its_call)) {
    ++end->open;
  }

  static LoopHandles* of(const uv_handle* handle) {
    return static_cast<LoopHandles*>(libuv()->handle_get_data(handle));
  }
  static void on_readable(uv_handle* handle, int, int) { of(handle)->tell(); }
  static void on_due(uv_handle* handle) {
    LoopHandles* const self = of(handle);
    self->due_ms = -1;
    self->tell();
  }
  static void on_before_wait(uv_handle* handle) {
    libuv()->prepare_stop(handle);
    of(handle)->tell();
  }
  static void on_closed(uv_handle* handle) {
    LoopHandles* const self = of(handle);
    std::free(handle);
    if (--self->open == 0) self->let_go();
  }

  void tell() {
    if (is_closed) return;
    const std::function<void()> held = call;  // It may end the owner.
    held();
  }
  /// Null where there is no memory, or the loop does not take it.
  template <typename Init>
  uv_handle* make(int type, Init&& init) {
    uv_handle* const made = static_cast<uv_handle*>(std::malloc(libuv()->handle_size(type)));
    if (made == nullptr) return nullptr;
    if (init(made) != 0) {
      std::free(made);
      return nullptr;
    }
    libuv()->handle_set_data(made, this);
    libuv()->unref(made);
    ++open;
    return made;
  }
  void close() {
    is_closed = true;
    for (uv_handle* const each : {watch, timer}) {
      if (each != nullptr) libuv()->close(each, &on_closed);
    }
    if (open == 0) let_go();
  }
  void let_go() {
    EventLoop::End* const its_end = end;
    delete this;
    --its_end->open;
    its_end->end_if_possible();
  }

  uv_loop_s* loop;
  EventLoop::End* end;
  std::function<void()> call;
  uv_handle* watch = nullptr;
  uv_handle* timer = nullptr;
  int64_t due_ms = -1;  // As the loop's clock has it.
  int open = 0;
  bool is_closed = false;
};

LoopWatch::LoopWatch(EventLoop& loop, int descriptor, std::function<void()> call) {
  const Libuv& uv = *libuv();
  LoopHandles* const made = new LoopHandles(loop, std::move(call));
  made->timer = made->make(uv_timer_type,
                           [&](uv_handle* handle) { return uv.timer_init(made->loop, handle); });
  made->watch = made->make(uv_poll_type, [&](uv_handle* handle) {
    return uv.poll_init(made->loop, handle, descriptor);
  });
  if (made->timer == nullptr || made->watch == nullptr) {
    made->close();
    return;
  }
  handles_ = made;
}

LoopWatch::~LoopWatch() {
  if (handles_ != nullptr) handles_->close();
}

void LoopWatch::start() {
  if (is_started_ || handles_ == nullptr) return;
  is_started_ = libuv()->poll_start(handles_->watch, uv_readable, &LoopHandles::on_readable) == 0;
}

void LoopWatch::stop() {
  if (!is_started_) return;
  libuv()->poll_stop(handles_->watch);
  is_started_ = false;
}

// A time that is set already and is not later stays: it is asked again when it has come.
void LoopWatch::call_in(int64_t milliseconds) {
  if (milliseconds < 0 || handles_ == nullptr) return;
  const int64_t due = static_cast<int64_t>(libuv()->now(handles_->loop)) + milliseconds;
  if (handles_->due_ms >= 0 && handles_->due_ms <= due + clock_lag_ms) return;
  handles_->due_ms = due;
  libuv()->timer_start(handles_->timer, &LoopHandles::on_due, static_cast<uint64_t>(milliseconds),
                       0);
}

BeforeWait::BeforeWait(EventLoop& loop, std::function<void()> call) {
  LoopHandles* const made = new LoopHandles(loop, std::move(call));
  made->watch = made->make(uv_prepare_type, [&](uv_handle* handle) {
    return libuv()->prepare_init(made->loop, handle);
  });
  if (made->watch == nullptr) {
    made->close();
    return;
  }
  handles_ = made;
}

BeforeWait::~BeforeWait() {
  if (handles_ != nullptr) handles_->close();
}

void BeforeWait::want() {
  if (handles_ != nullptr) {
    libuv()->prepare_start(handles_->watch, &LoopHandles::on_before_wait);
  }
}

// --- the loop ---

std::shared_ptr<EventLoop> EventLoop::of(napi_env env, napi_async_context context) {
  uv_loop_s* loop = nullptr;
  if (context == nullptr || libuv() == nullptr || napi_get_uv_event_loop(env, &loop) != napi_ok) {
    return nullptr;
  }
  std::unique_ptr<End> end = std::make_unique<End>();
  if (napi_add_async_cleanup_hook(env, &End::want, end.get(), &end->hook) != napi_ok) {
    return nullptr;
  }
  return std::shared_ptr<EventLoop>(new EventLoop(env, context, loop, end.release()));
}

bool EventLoop::open(napi_handle_scope* handles, napi_callback_scope* callback) {
  if (context_ == nullptr || napi_open_handle_scope(env_, handles) != napi_ok) return false;
  napi_value resource = nullptr;
  if (napi_create_object(env_, &resource) == napi_ok &&
      napi_open_callback_scope(env_, resource, context_, callback) == napi_ok) {
    return true;
  }
  napi_close_handle_scope(env_, *handles);
  return false;
}

void EventLoop::close(napi_handle_scope handles, napi_callback_scope callback) {
  napi_close_callback_scope(env_, callback);
  napi_close_handle_scope(env_, handles);
}

}  // namespace martlet::node
