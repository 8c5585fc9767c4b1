// SPDX-License-Identifier: Apache-2.0
//
// Owns what every file of the addon needs: what belongs to one JavaScript environment (the main
// thread's or a worker's), how a status becomes the error class of its name, how JavaScript's
// values become views, how a call that blocks runs beside the event loop.
#pragma once

#include <napi.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "martlet/cpp/error.hpp"

namespace martlet::node {

class Lead;
class Notifier;

/// What holds threads or descriptors, and must give them back before its environment ends.
class Living {
 public:
  virtual ~Living() = default;
  /// Ends it for good; JavaScript cannot run any more.
  virtual void end() = 0;
};

/// What belongs to one environment. Lifecycle: made when the addon is loaded there, ended by its
/// cleanup hook, freed after it. Thread: the environment's own.
class Addon {
 public:
  Addon() = default;
  ~Addon();
  Addon(const Addon&) = delete;
  Addon& operator=(const Addon&) = delete;
  static Addon& of(napi_env env);

  /// The process stays alive while somebody has asked for that.
  void ref();
  void unref();
  /// Servers end after what is connected to them.
  void add(Living* living, bool is_server);
  void remove(Living* living);
  /// The cleanup hook.
  void end(napi_env env);

  Napi::FunctionReference make_error;  // (status, text) -> Error, handed in once by lib/raw.ts.
  std::shared_ptr<Notifier> notifier;
  /// What callbacks that the event loop makes for us run in: as when the addon was loaded, not as
  /// where something was first used. Null where there is none.
  napi_async_context context = nullptr;
  /// Null until it is first asked for, and where there is none.
  std::unique_ptr<Lead> lead;

 private:
  int64_t refs_ = 0;
  std::set<Living*> clients_;
  std::set<Living*> servers_;
};

/// The JavaScript error that a status stands for.
Napi::Value error_of(Napi::Env env, martlet_status status, std::string_view text);

/// Throws it, as an exception of JavaScript that is pending when this returns.
void throw_status(Napi::Env env, martlet_status status, std::string_view text) noexcept;

/// Runs the body of a method: what the C++ layer throws becomes an exception of JavaScript.
template <typename Body>
Napi::Value guarded(const Napi::CallbackInfo& info, Body&& body) {
  try {
    return body();
  } catch (const cpp::Error& error) {
    throw_status(info.Env(), error.status(), error.text());
  } catch (const std::bad_alloc&) {
    throw_status(info.Env(), MARTLET_ERR_NO_MEMORY, "no memory");
  }
  return Napi::Value();
}

/// Throws ERR_INVALID_ARGUMENT: "`what` must be `wanted`".
[[noreturn]] void refuse(const char* what, const char* wanted);

/// Arguments; each throws what `refuse` does. `what` names the argument.
std::string text_of(Napi::Value value, const char* what);
int32_t int32_of(Napi::Value value, const char* what);
int64_t int64_of(Napi::Value value, const char* what);
Napi::Function function_of(Napi::Value value, const char* what);

/// The object of ours that stands behind a value: of the class with this tag, and of no other.
template <typename Bound>
Bound& bound_of(Napi::Value value, const char* what) {
  if (value.IsObject()) {
    const Napi::Object object = value.As<Napi::Object>();
    if (object.CheckTypeTag(&Bound::type_tag)) {
      Bound* const bound = Napi::ObjectWrap<Bound>::Unwrap(object);
      if (bound != nullptr) return *bound;
    }
  }
  refuse(what, Bound::wanted);
}

/// Runs `work` on a thread of libuv's pool; the promise ends with what `result` makes of it. What
/// `work` touches must be kept alive by what it captures.
using Work = std::function<void()>;
using Outcome = std::function<Napi::Value(Napi::Env)>;
Napi::Value run_beside(Napi::Env env, Work work, Outcome outcome);

/// An object that is one of the parent process, or freed, has nothing behind it.
template <typename Handle>
Handle& alive(Handle* handle, const char* what) {
  if (handle == nullptr) {
    throw cpp::Error(MARTLET_ERR_INVALID_HANDLE, std::string(what) + " has been freed");
  }
  return *handle;
}

}  // namespace martlet::node
