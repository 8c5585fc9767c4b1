// SPDX-License-Identifier: Apache-2.0
//
// Owns the making of the addon in an environment, and its end there.
#include "c_functions.hpp"
#include "connection_binding.hpp"
#include "martlet/cpp/version.hpp"
#include "martlet/version.h"
#include "notifier.hpp"
#include "queue_binding.hpp"
#include "server_binding.hpp"
#include "subscription_binding.hpp"

namespace martlet::node {
namespace {

void end_addon(void* data) { static_cast<Addon*>(data)->end(); }

void delete_addon(napi_env, void* data, void*) { delete static_cast<Addon*>(data); }

Napi::Value set_error_maker(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    Addon::of(info.Env()).make_error = Napi::Persistent(function_of(info[0], "make"));
    return info.Env().Undefined();
  });
}

Napi::Value status_name(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    return Napi::String::New(info.Env(), martlet_status_name(int32_of(info[0], "status"), nullptr));
  });
}

Napi::Object make(Napi::Env env, Napi::Object exports) {
  Addon* const addon = new Addon();
  addon->notifier = std::make_shared<Notifier>(env);
  napi_set_instance_data(env, addon, delete_addon, nullptr);
  if (!addon->notifier->create()) {
    throw Napi::Error::New(env, "martlet: no threadsafe function could be made");
  }
  // After the threadsafe function: hooks run in the opposite order, and ours must come before its.
  napi_add_env_cleanup_hook(env, end_addon, addon);
  QueueBinding::bind(env, exports);
  ServerBinding::bind(env, exports);
  ConnectionBinding::bind(env, exports);
  SubscriptionBinding::bind(env, exports);
  exports.Set("setErrorMaker", Napi::Function::New(env, set_error_maker));
  exports.Set("statusName", Napi::Function::New(env, status_name));
  bind_c_functions(env, exports);
  exports.Set("abiVersion", Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
                return Napi::Number::New(info.Env(), martlet_abi_version());
              }));
  exports.Set("versionText", Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
                return Napi::String::New(info.Env(), martlet_version_text(nullptr));
              }));
  exports.Set("linkedVersions", Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
                return Napi::String::New(info.Env(), martlet::cpp::linked_versions());
              }));
  return exports;
}

}  // namespace
}  // namespace martlet::node

Napi::Object init(Napi::Env env, Napi::Object exports) { return martlet::node::make(env, exports); }

NODE_API_MODULE(NODE_GYP_MODULE_NAME, init)
