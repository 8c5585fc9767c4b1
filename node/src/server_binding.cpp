// SPDX-License-Identifier: Apache-2.0
//
// Owns raw.Server.
#include "server_binding.hpp"

#include "queue_binding.hpp"

namespace martlet::node {

void ServerBinding::bind(Napi::Env env, Napi::Object exports) {
  using Self = ServerBinding;
  exports.Set("Server", DefineClass(env, "Server",
                                    {
                                        InstanceMethod("setLog", &Self::set_log),
                                        InstanceMethod("start", &Self::start),
                                        InstanceMethod("stop", &Self::stop),
                                        InstanceMethod("clientPort", &Self::client_port),
                                        InstanceMethod("monitoringPort", &Self::monitoring_port),
                                        InstanceMethod("url", &Self::url),
                                        InstanceMethod("statistics", &Self::statistics),
                                        InstanceMethod("ref", &Self::ref),
                                        InstanceMethod("unref", &Self::unref),
                                        InstanceMethod("free", &Self::free),
                                    }));
}

ServerBinding::ServerBinding(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<ServerBinding>(info), env_(info.Env()) {
  guarded(info, [&]() -> Napi::Value {
    running_ = std::make_shared<Running>(text_of(info[0], "options"));
    Value().TypeTag(&type_tag);
    Addon::of(env_).add(this, true);
    return info.Env().Undefined();
  });
}

// Collected: a broker that still runs is stopped here, which takes some milliseconds.
ServerBinding::~ServerBinding() {
  if (running_ == nullptr || ended_) return;
  set_referenced(false);
  Addon::of(env_).remove(this);
}

void ServerBinding::end() {
  ended_ = true;
  const std::shared_ptr<Running> running = std::move(running_);
  if (running == nullptr) return;
  const std::lock_guard<std::mutex> lock(running->one_at_a_time);
  running->server.reset();
}

void ServerBinding::set_referenced(bool referenced) {
  if (referenced == referenced_ || ended_) return;
  referenced_ = referenced;
  Addon& addon = Addon::of(env_);
  referenced ? addon.ref() : addon.unref();
}

Napi::Value ServerBinding::set_log(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    martlet_queue* const queue =
        info[0].IsNull() ? nullptr : bound_of<QueueBinding>(info[0], "queue").get();
    server().set_log(queue, int64_of(info[1], "cookie"), int32_of(info[2], "levelMax"));
    return info.Env().Undefined();
  });
}

Napi::Value ServerBinding::beside(const Napi::CallbackInfo& info, void (cpp::Server::*call)()) {
  return guarded(info, [&]() -> Napi::Value {
    alive(running_.get(), "the server");
    const auto work = [running = running_, call] {
      const std::lock_guard<std::mutex> lock(running->one_at_a_time);
      (running->server.*call)();
    };
    return run_beside(info.Env(), work, [](Napi::Env env) { return env.Undefined(); });
  });
}

Napi::Value ServerBinding::start(const Napi::CallbackInfo& info) {
  return beside(info, &cpp::Server::start);
}

Napi::Value ServerBinding::stop(const Napi::CallbackInfo& info) {
  return beside(info, &cpp::Server::stop);
}

Napi::Value ServerBinding::client_port(const Napi::CallbackInfo& info) {
  return guarded(
      info, [&]() -> Napi::Value { return Napi::Number::New(info.Env(), server().client_port()); });
}

Napi::Value ServerBinding::monitoring_port(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    return Napi::Number::New(info.Env(), server().monitoring_port());
  });
}

Napi::Value ServerBinding::url(const Napi::CallbackInfo& info) {
  return guarded(info,
                 [&]() -> Napi::Value { return Napi::String::New(info.Env(), server().url()); });
}

Napi::Value ServerBinding::statistics(const Napi::CallbackInfo& info) {
  return guarded(
      info, [&]() -> Napi::Value { return Napi::String::New(info.Env(), server().statistics()); });
}

// ref(): the process stays alive for it.
Napi::Value ServerBinding::ref(const Napi::CallbackInfo& info) {
  set_referenced(true);
  return info.Env().Undefined();
}

Napi::Value ServerBinding::unref(const Napi::CallbackInfo& info) {
  set_referenced(false);
  return info.Env().Undefined();
}

// free(): what runs beside the event loop still holds it until it is done.
Napi::Value ServerBinding::free(const Napi::CallbackInfo& info) {
  set_referenced(false);
  Addon::of(env_).remove(this);
  running_.reset();
  return info.Env().Undefined();
}

}  // namespace martlet::node
