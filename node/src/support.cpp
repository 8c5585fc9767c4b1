// SPDX-License-Identifier: Apache-2.0
//
// Owns the conversions between JavaScript's values and what the C ABI takes, and the calls that run
// beside the event loop.
#include "support.hpp"

#include <cmath>

#include "lead.hpp"
#include "notifier.hpp"
#include "text.hpp"

namespace martlet::node {

Addon::~Addon() = default;

Addon& Addon::of(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return *static_cast<Addon*>(data);
}

void Addon::ref() {
  if (++refs_ == 1) notifier->set_kept(true);
}

void Addon::unref() {
  if (--refs_ == 0) notifier->set_kept(false);
}

void Addon::add(Living* living, bool is_server) {
  (is_server ? servers_ : clients_).insert(living);
}

void Addon::remove(Living* living) {
  clients_.erase(living);
  servers_.erase(living);
}

void Addon::end(napi_env env) {
  notifier->stop();
  if (lead != nullptr) lead->stop();
  for (Living* const client : std::exchange(clients_, {})) client->end();
  for (Living* const server : std::exchange(servers_, {})) server->end();
  make_error.Reset();
  if (context != nullptr) napi_async_destroy(env, std::exchange(context, nullptr));
}

Napi::Value error_of(Napi::Env env, martlet_status status, std::string_view text) {
  Addon& addon = Addon::of(env);
  const Napi::String sentence = Napi::String::New(env, text.data(), text.size());
  if (addon.make_error.IsEmpty()) return Napi::Error::New(env, std::string(text)).Value();
  return addon.make_error.Call({Napi::Number::New(env, status), sentence});
}

void throw_status(Napi::Env env, martlet_status status, std::string_view text) noexcept {
  try {
    napi_throw(env, error_of(env, status, text));
  } catch (const Napi::Error&) {
    // The environment ends: no code of JavaScript runs any more, and nobody would hear of it.
  }
}

void refuse(const char* what, const char* wanted) {
  throw cpp::Error(MARTLET_ERR_INVALID_ARGUMENT, std::string(what) + " must be " + wanted);
}

std::string text_of(Napi::Value value, const char* what) {
  if (!value.IsString()) refuse(what, "a string");
  std::string text = value.As<Napi::String>().Utf8Value();
  if (has_half_pair(value.Env(), value, text)) refuse(what, "without half a surrogate pair");
  return text;
}

int64_t int64_of(Napi::Value value, const char* what) {
  constexpr double safe_max = 9007199254740991.0;
  if (!value.IsNumber()) refuse(what, "a number");
  const double number = value.As<Napi::Number>().DoubleValue();
  if (std::trunc(number) != number || std::abs(number) > safe_max) refuse(what, "a whole number");
  return static_cast<int64_t>(number);
}

int32_t int32_of(Napi::Value value, const char* what) {
  const int64_t number = int64_of(value, what);
  if (number < INT32_MIN || number > INT32_MAX) refuse(what, "a whole number of 32 bits");
  return static_cast<int32_t>(number);
}

Napi::Function function_of(Napi::Value value, const char* what) {
  if (!value.IsFunction()) refuse(what, "a function");
  return value.As<Napi::Function>();
}

namespace {

/// Lifecycle: deletes itself when its promise has ended.
class Beside : public Napi::AsyncWorker {
 public:
  Beside(Napi::Env env, Work work, Outcome outcome)
      : Napi::AsyncWorker(env, "martlet"),
        deferred_(Napi::Promise::Deferred::New(env)),
        work_(std::move(work)),
        outcome_(std::move(outcome)) {}
  Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
  void Execute() override {
    try {
      work_();
    } catch (const cpp::Error& error) {
      status_ = error.status();
      SetError(error.text());
    }
  }
  void OnOK() override { deferred_.Resolve(outcome_(Env())); }
  void OnError(const Napi::Error& error) override {
    deferred_.Reject(error_of(Env(), status_, error.Message()));
  }

 private:
  Napi::Promise::Deferred deferred_;
  Work work_;
  Outcome outcome_;
  martlet_status status_ = MARTLET_ERR_INTERNAL;
};

}  // namespace

Napi::Value run_beside(Napi::Env env, Work work, Outcome outcome) {
  Beside* const beside = new Beside(env, std::move(work), std::move(outcome));
  const Napi::Promise promise = beside->promise();
  beside->Queue();
  return promise;
}

}  // namespace martlet::node
