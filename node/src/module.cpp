// SPDX-License-Identifier: Apache-2.0
//
// Owns the making of the addon in an environment, and its end there.
#include "c_functions.hpp"
#include "connection_binding.hpp"
#include "lead.hpp"
#include "martlet/cpp/version.hpp"
#include "martlet/version.h"
#include "notifier.hpp"
#include "queue_binding.hpp"
#include "server_binding.hpp"
#include "subscription_binding.hpp"

namespace martlet::node {
namespace {

struct Ending {
  napi_env env;
  Addon* addon;
};

void end_addon(void* data) {
  const std::unique_ptr<Ending> ending(static_cast<Ending*>(data));
  ending->addon->end(ending->env);
}

napi_async_context make_context(napi_env env) {
  napi_value resource = nullptr, name = nullptr;
  napi_async_context made = nullptr;
  if (napi_create_object(env, &resource) != napi_ok ||
      napi_create_string_utf8(env, "martlet", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_async_init(env, resource, name, &made) != napi_ok) {
    return nullptr;
  }
  return made;
}

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

// prepareToLead(): makes what callbacks will run in, where nobody's context is at hand: once, when
// the package is loaded. Only where the event loop may come to lead: Deno (2.9.6) ends with a fatal
// error where it is destroyed in a cleanup hook.
Napi::Value prepare_to_lead(const Napi::CallbackInfo& info) {
  Addon& addon = Addon::of(info.Env());
  if (addon.context == nullptr) addon.context = make_context(info.Env());
  return info.Env().Undefined();
}

// canLead(): whether the event loop can read the sockets of connections with "run": "lent". Not to
// be asked where the loop is not libuv's, although its functions may be there.
Napi::Value can_lead(const Napi::CallbackInfo& info) {
  Addon& addon = Addon::of(info.Env());
  if (addon.lead == nullptr) addon.lead = Lead::create(info.Env(), addon.context, addon.notifier);
  return Napi::Boolean::New(info.Env(), addon.lead != nullptr);
}

// leader(): "loop" or "thread".
Napi::Value leader(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const Lead& lead = alive(Addon::of(info.Env()).lead.get(), "the lead");
    return Napi::String::New(info.Env(), lead.thread_leads() ? "thread" : "loop");
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
  napi_add_env_cleanup_hook(env, end_addon, new Ending{env, addon});
  QueueBinding::bind(env, exports);
  ServerBinding::bind(env, exports);
  ConnectionBinding::bind(env, exports);
  SubscriptionBinding::bind(env, exports);
  exports.Set("setErrorMaker", Napi::Function::New(env, set_error_maker));
  exports.Set("prepareToLead", Napi::Function::New(env, prepare_to_lead));
  exports.Set("canLead", Napi::Function::New(env, can_lead));
  exports.Set("leader", Napi::Function::New(env, leader));
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
