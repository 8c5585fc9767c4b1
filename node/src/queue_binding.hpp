// SPDX-License-Identifier: Apache-2.0
//
// Owns raw.Queue: a completion queue, 1:1 with the C ABI, but that its wake-up calls a function of
// JavaScript on the event loop.
#pragma once

#include "martlet/cpp/queue.hpp"
#include "notifier.hpp"
#include "support.hpp"

namespace martlet::node {

/// Lifecycle: until free(), or until it is collected. JavaScript's object keeps the function that
/// it wakes; nothing here keeps the object.
class QueueBinding : public Napi::ObjectWrap<QueueBinding>, public Woken {
 public:
  static constexpr napi_type_tag type_tag = {0x6d61727475657565, 0x1};
  static constexpr const char* wanted = "a Queue";
  static void bind(Napi::Env env, Napi::Object exports);

  explicit QueueBinding(const Napi::CallbackInfo& info);
  ~QueueBinding() override;
  martlet_queue* get() const { return alive(queue_.get(), "the queue").get(); }
  void on_wake() override;

 private:
  void call_on_wake();
  Napi::Value poll(const Napi::CallbackInfo& info);
  Napi::Value poll_into(const Napi::CallbackInfo& info);
  Napi::Value set_wake(const Napi::CallbackInfo& info);
  Napi::Value descriptor(const Napi::CallbackInfo& info);
  Napi::Value notify_ready(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);
  Napi::Value free(const Napi::CallbackInfo& info);

  napi_env env_;
  Addon& addon_;
  std::shared_ptr<Notifier> notifier_;
  int64_t number_ = 0;
  std::unique_ptr<cpp::Queue> queue_;
};

}  // namespace martlet::node
