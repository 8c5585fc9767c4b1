// SPDX-License-Identifier: Apache-2.0
//
// Owns raw.Subscription: 1:1 with the C ABI.
#pragma once

#include "martlet/cpp/subscription.hpp"
#include "support.hpp"

namespace martlet::node {

/// Lifecycle: until free(), or until it is collected: then it unsubscribes.
class SubscriptionBinding : public Napi::ObjectWrap<SubscriptionBinding> {
 public:
  static void bind(Napi::Env env, Napi::Object exports);
  explicit SubscriptionBinding(const Napi::CallbackInfo& info);

 private:
  Napi::Value unsubscribe(const Napi::CallbackInfo& info);
  Napi::Value auto_unsubscribe(const Napi::CallbackInfo& info);
  Napi::Value drain(const Napi::CallbackInfo& info);
  Napi::Value pending(const Napi::CallbackInfo& info);
  Napi::Value dropped(const Napi::CallbackInfo& info);
  Napi::Value free(const Napi::CallbackInfo& info);
  cpp::Subscription& subscription() const { return alive(subscription_.get(), "the subscription"); }

  std::unique_ptr<cpp::Subscription> subscription_;
};

}  // namespace martlet::node
