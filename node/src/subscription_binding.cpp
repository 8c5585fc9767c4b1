// SPDX-License-Identifier: Apache-2.0
//
// Owns raw.Subscription.
#include "subscription_binding.hpp"

#include "connection_binding.hpp"
#include "queue_binding.hpp"

namespace martlet::node {
namespace {

Napi::Value pair_of(Napi::Env env, int64_t first, int64_t second) {
  const Napi::Array pair = Napi::Array::New(env, 2);
  pair.Set(0u, Napi::Number::New(env, static_cast<double>(first)));
  pair.Set(1u, Napi::Number::New(env, static_cast<double>(second)));
  return pair;
}

}  // namespace

void SubscriptionBinding::bind(Napi::Env env, Napi::Object exports) {
  using Self = SubscriptionBinding;
  exports.Set("Subscription",
              DefineClass(env, "Subscription",
                          {
                              InstanceMethod("unsubscribe", &Self::unsubscribe),
                              InstanceMethod("autoUnsubscribe", &Self::auto_unsubscribe),
                              InstanceMethod("drain", &Self::drain),
                              InstanceMethod("pending", &Self::pending),
                              InstanceMethod("dropped", &Self::dropped),
                              InstanceMethod("free", &Self::free),
                          }));
}

// new Subscription(connection, subject, group, options, queue, cookie)
SubscriptionBinding::SubscriptionBinding(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<SubscriptionBinding>(info) {
  guarded(info, [&]() -> Napi::Value {
    cpp::Connection& connection = bound_of<ConnectionBinding>(info[0], "connection").connection();
    subscription_ = std::make_unique<cpp::Subscription>(
        connection.get(), text_of(info[1], "subject"), text_of(info[2], "group"),
        text_of(info[3], "options"), bound_of<QueueBinding>(info[4], "queue").get(),
        int64_of(info[5], "cookie"));
    return info.Env().Undefined();
  });
}

Napi::Value SubscriptionBinding::unsubscribe(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    subscription().unsubscribe();
    return info.Env().Undefined();
  });
}

Napi::Value SubscriptionBinding::auto_unsubscribe(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    subscription().auto_unsubscribe(int64_of(info[0], "messagesMax"));
    return info.Env().Undefined();
  });
}

Napi::Value SubscriptionBinding::drain(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    subscription().drain();
    return info.Env().Undefined();
  });
}

// pending(): [messages, bytes].
Napi::Value SubscriptionBinding::pending(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const cpp::SubscriptionCounts counts = subscription().counts();
    return pair_of(info.Env(), counts.pending_messages, counts.pending_bytes);
  });
}

// dropped(): [dropped, delivered].
Napi::Value SubscriptionBinding::dropped(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const cpp::SubscriptionCounts counts = subscription().counts();
    return pair_of(info.Env(), counts.dropped_messages, counts.delivered_messages);
  });
}

Napi::Value SubscriptionBinding::free(const Napi::CallbackInfo& info) {
  subscription_.reset();
  return info.Env().Undefined();
}

}  // namespace martlet::node
