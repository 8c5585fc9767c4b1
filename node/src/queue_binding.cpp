// SPDX-License-Identifier: Apache-2.0
//
// Owns raw.Queue. Batches are read where JavaScript wants them: copied into its memory, or, a
// single large payload, shown where it lies. No object of JavaScript is made for a message here.
#include "queue_binding.hpp"

#include <algorithm>
#include <cstring>

#include "lead.hpp"

namespace martlet::node {
namespace {

constexpr int64_t external_bytes_min = 64 * 1024;
constexpr int64_t work_bytes = 1024;  // Of a large payload, that weigh as much as a message.

/// The memory of a typed array of JavaScript, borrowed for the call.
struct Memory {
  char* data = nullptr;
  int64_t bytes = 0;
};

Memory memory_of(Napi::Value value, const char* what) {
  if (!value.IsTypedArray()) refuse(what, "a typed array");
  const Napi::TypedArray array = value.As<Napi::TypedArray>();
  void* data = nullptr;
  napi_get_typedarray_info(value.Env(), value, nullptr, nullptr, &data, nullptr, nullptr);
  return {static_cast<char*>(data), static_cast<int64_t>(array.ByteLength())};
}

/// Where the shape of a batch is written for JavaScript.
martlet_batch_info* info_of(Napi::Value value) {
  const Memory memory = memory_of(value, "info");
  if (memory.bytes < static_cast<int64_t>(sizeof(martlet_batch_info)) ||
      reinterpret_cast<uintptr_t>(memory.data) % alignof(martlet_batch_info) != 0) {
    refuse("info", "a typed array of BATCH_INFO_BYTES, aligned to 8 bytes");
  }
  martlet_batch_info* const info = reinterpret_cast<martlet_batch_info*>(memory.data);
  *info = {};
  info->info_bytes = sizeof(martlet_batch_info);
  return info;
}

void release_batch(napi_env, void*, void* hint) {
  martlet_batch_release(static_cast<martlet_batch*>(hint));
}

/// The block of a batch as an ArrayBuffer. Takes over the reference. Where the engine allows no
/// memory of others, and for what is small, it is a copy.
Napi::Value array_buffer_of(Napi::Env env, martlet_batch* batch) {
  int64_t bytes = 0;
  const void* const block = martlet_batch_block(batch, &bytes);
  napi_value buffer = nullptr;
  if (bytes >= external_bytes_min &&
      napi_create_external_arraybuffer(env, const_cast<void*>(block), static_cast<size_t>(bytes),
                                       release_batch, batch, &buffer) == napi_ok) {
    return Napi::Value(env, buffer);
  }
  void* data = nullptr;
  const napi_status made = napi_create_arraybuffer(env, static_cast<size_t>(bytes), &data, &buffer);
  if (made == napi_ok && bytes > 0) std::memcpy(data, block, static_cast<size_t>(bytes));
  martlet_batch_release(batch);
  if (made != napi_ok) throw cpp::Error(MARTLET_ERR_NO_MEMORY, "no memory for a batch");
  return Napi::Value(env, buffer);
}

void on_queue_wake(void* user_data) {
  const WakeTarget* const target = static_cast<WakeTarget*>(user_data);
  target->notifier->note(target->number);
}

void free_wake_target(void* user_data) { delete static_cast<WakeTarget*>(user_data); }

}  // namespace

void QueueBinding::bind(Napi::Env env, Napi::Object exports) {
  exports.Set("Queue", DefineClass(env, "Queue",
                                   {
                                       InstanceMethod("poll", &QueueBinding::poll),
                                       InstanceMethod("pollInto", &QueueBinding::poll_into),
                                       InstanceMethod("setWake", &QueueBinding::set_wake),
                                       InstanceMethod("descriptor", &QueueBinding::descriptor),
                                       InstanceMethod("notifyReady", &QueueBinding::notify_ready),
                                       InstanceMethod("close", &QueueBinding::close),
                                       InstanceMethod("free", &QueueBinding::free),
                                   }));
}

QueueBinding::QueueBinding(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<QueueBinding>(info), env_(info.Env()), addon_(Addon::of(info.Env())) {
  guarded(info, [&]() -> Napi::Value {
    notifier_ = addon_.notifier;
    queue_ = std::make_unique<cpp::Queue>(text_of(info[0], "options"));
    Value().TypeTag(&type_tag);
    number_ = notifier_->add(this);
    return info.Env().Undefined();
  });
}

QueueBinding::~QueueBinding() {
  if (number_ != 0) notifier_->remove(number_);
}

// By the plain Node-API: nothing here may throw, whatever becomes of the environment meanwhile.
void QueueBinding::on_wake() {
  napi_handle_scope scope = nullptr;
  if (napi_open_handle_scope(env_, &scope) != napi_ok) return;
  call_on_wake();
  napi_close_handle_scope(env_, scope);
}

void QueueBinding::call_on_wake() {
  napi_value self = nullptr, function = nullptr, result = nullptr, thrown = nullptr;
  const napi_ref reference = *this;
  if (napi_get_reference_value(env_, reference, &self) != napi_ok) return;
  if (self == nullptr) return;  // Collected; its end follows.
  if (napi_get_named_property(env_, self, "onWake", &function) != napi_ok) return;
  if (napi_call_function(env_, self, function, 0, nullptr, &result) != napi_pending_exception)
    return;
  bool is_pending = false;
  if (napi_is_exception_pending(env_, &is_pending) != napi_ok || !is_pending) return;
  if (napi_get_and_clear_last_exception(env_, &thrown) == napi_ok)
    napi_fatal_exception(env_, thrown);
}

// poll(messagesMax, info): the block as an ArrayBuffer, or the status AGAIN or DONE. Does not wait.
Napi::Value QueueBinding::poll(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const int32_t messages_max = int32_of(info[0], "messagesMax");
    martlet_batch_info* const shape = info_of(info[1]);
    cpp::ErrorOut error;
    martlet_batch* batch = nullptr;
    const martlet_status status =
        cpp::check(martlet_queue_poll(get(), messages_max, 0, &batch, error), error);
    if (status != MARTLET_OK) return Napi::Number::New(info.Env(), status);
    martlet_batch_info_get(batch, shape, nullptr);
    if (addon_.lead != nullptr) {
      addon_.lead->note_read(std::max<int64_t>(shape->count, shape->block_bytes / work_bytes));
    }
    return array_buffer_of(info.Env(), batch);
  });
}

// pollInto(memory, offset, messagesMax, info): OK, AGAIN, DONE or ERR_BUFFER_TOO_SMALL. Does not
// wait.
Napi::Value QueueBinding::poll_into(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const Memory memory = memory_of(info[0], "memory");
    const int64_t offset = int64_of(info[1], "offset");
    if (offset < 0 || offset > memory.bytes) refuse("offset", "inside the memory");
    const int32_t messages_max = int32_of(info[2], "messagesMax");
    martlet_batch_info* const shape = info_of(info[3]);
    cpp::ErrorOut error;
    const martlet_status status = martlet_queue_poll_into(
        get(), memory.data + offset, memory.bytes - offset, messages_max, 0, shape, error);
    if (status != MARTLET_ERR_BUFFER_TOO_SMALL) cpp::check(status, error);
    if (status == MARTLET_OK && addon_.lead != nullptr) addon_.lead->note_read(shape->count);
    return Napi::Number::New(info.Env(), status);
  });
}

// setWake(function): it is called on the event loop once when the queue stops being empty.
Napi::Value QueueBinding::set_wake(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    cpp::Queue& queue = alive(queue_.get(), "the queue");
    if (info[0].IsNull()) {
      queue.set_wake(nullptr, nullptr, nullptr);
      return info.Env().Undefined();
    }
    Value().Set("onWake", function_of(info[0], "wake"));
    queue.set_wake(&on_queue_wake, new WakeTarget{notifier_, number_}, &free_wake_target);
    return info.Env().Undefined();
  });
}

Napi::Value QueueBinding::descriptor(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    return Napi::Number::New(info.Env(), alive(queue_.get(), "the queue").descriptor());
  });
}

// notifyReady(target, cookie): the queue `target` is told once when this one has something.
Napi::Value QueueBinding::notify_ready(const Napi::CallbackInfo& info) {
  return guarded(info, [&]() -> Napi::Value {
    const cpp::Queue& target =
        alive(bound_of<QueueBinding>(info[0], "target").queue_.get(), "the target");
    alive(queue_.get(), "the queue").notify_ready(target, int64_of(info[1], "cookie"));
    return info.Env().Undefined();
  });
}

Napi::Value QueueBinding::close(const Napi::CallbackInfo& info) {
  if (queue_ != nullptr) queue_->close();
  return info.Env().Undefined();
}

Napi::Value QueueBinding::free(const Napi::CallbackInfo& info) {
  queue_.reset();
  return info.Env().Undefined();
}

}  // namespace martlet::node
