// SPDX-License-Identifier: Apache-2.0
//
// Owns completion queues at the border: options, polling, the wake-up callback. The work is
// client/completion_queue.hpp.
#include <memory>
#include <utility>

#include "batch_info.hpp"
#include "boundary.hpp"
#include "client/connection_options.hpp"
#include "queue_handle.hpp"
#include "system_clock.hpp"

using martlet::ErrorCode;
using martlet::capi::Answer;
using martlet::client::CompletionQueue;

namespace martlet::capi {

void WakeSlot::call() {
  send_notice();
  Target target;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (target_.fn == nullptr) return;
    target = target_;
    ++running_;
  }
  {
    CallbackScope inside;
    target.fn(target.user_data);
  }
  std::lock_guard<std::mutex> lock(mutex_);
  if (--running_ == 0) idle_.notify_all();
}

void WakeSlot::set(martlet_wake_fn fn, void* user_data, martlet_user_data_free_fn user_data_free) {
  Target old;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    old = std::exchange(target_, Target{fn, user_data, user_data_free});
    idle_.wait(lock, [this] { return running_ == 0; });
  }
  if (old.user_data_free != nullptr) old.user_data_free(old.user_data);
}

void WakeSlot::set_notice(std::weak_ptr<CompletionQueue> target, int64_t cookie) {
  std::lock_guard<std::mutex> lock(mutex_);
  notice_to_ = std::move(target);
  notice_cookie_ = cookie;
  has_notice_ = true;
}

void WakeSlot::send_notice() {
  client::Completion notice;
  std::shared_ptr<CompletionQueue> target;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!std::exchange(has_notice_, false)) return;
    target = std::exchange(notice_to_, {}).lock();
    notice.cookie = notice_cookie_;
  }
  if (target == nullptr) return;
  notice.kind = client::CompletionKind::ready;
  target->add(notice);
}

bool WakeSlot::is_set() {
  std::lock_guard<std::mutex> lock(mutex_);
  return target_.fn != nullptr;
}

}  // namespace martlet::capi

martlet_queue::martlet_queue(std::shared_ptr<CompletionQueue> made)
    : HandleHead(kind_mark),
      queue(std::move(made)),
      wake(std::make_shared<martlet::capi::WakeSlot>()) {
  queue->set_wake([slot = wake] { slot->call(); });
}

martlet_queue::~martlet_queue() {
  queue->close();
  wake->set(nullptr, nullptr, nullptr);
}

namespace {

/// The state that a poll without entries stands for.
martlet_status quiet_status(ErrorCode code) {
  return code == ErrorCode::closed ? MARTLET_DONE : MARTLET_AGAIN;
}

bool is_quiet(ErrorCode code) { return code == ErrorCode::again || code == ErrorCode::closed; }

Answer check_poll(int32_t messages_max, int32_t timeout_ms) {
  if (messages_max < 1) return Answer(MARTLET_ERR_INVALID_ARGUMENT, "messages_max is below 1");
  if (timeout_ms < -1) return Answer(MARTLET_ERR_INVALID_ARGUMENT, "timeout_ms is below -1");
  return MARTLET_OK;
}

}  // namespace

extern "C" {

martlet_status martlet_queue_new(const char* options, int64_t options_bytes,
                                 martlet_queue** out_queue, martlet_error** out_error) {
  return martlet::capi::guarded(out_error, [&]() -> Answer {
    if (out_queue == nullptr) return martlet::capi::missing("out_queue");
    Answer bad(MARTLET_OK);
    std::string_view text;
    if (!martlet::capi::read_bytes(options, options_bytes, "options", text, bad)) return bad;
    martlet::Result<martlet::client::QueueOptions> parsed =
        martlet::client::parse_queue_options(text);
    if (!parsed) return parsed.error();
    martlet::Result<std::shared_ptr<CompletionQueue>> made =
        CompletionQueue::create(martlet::capi::system_clock, *parsed);
    if (!made) return made.error();
    *out_queue = new martlet_queue(std::move(*made));
    return MARTLET_OK;
  });
}

martlet_status martlet_queue_poll(martlet_queue* self, int32_t messages_max, int32_t timeout_ms,
                                  martlet_batch** out_batch, martlet_error** out_error) {
  return martlet::capi::guarded_blocking(self, out_error, [&]() -> Answer {
    if (out_batch == nullptr) return martlet::capi::missing("out_batch");
    if (Answer bad = check_poll(messages_max, timeout_ms); bad.status() < 0) return bad;
    // Made before anything is taken: a failing allocation must not lose messages.
    auto handle = std::make_unique<martlet_batch>(martlet::client::Batch());
    martlet::Result<martlet::client::Batch> polled =
        self->queue->poll(messages_max, martlet::capi::timeout_ns_of(timeout_ms));
    if (!polled) {
      if (is_quiet(polled.code())) return quiet_status(polled.code());
      return polled.error();
    }
    handle->batch = std::move(*polled);
    *out_batch = handle.release();
    return MARTLET_OK;
  });
}

martlet_status martlet_queue_poll_into(martlet_queue* self, void* buffer, int64_t buffer_bytes,
                                       int32_t messages_max, int32_t timeout_ms,
                                       martlet_batch_info* out_info, martlet_error** out_error) {
  return martlet::capi::guarded_blocking(self, out_error, [&]() -> Answer {
    if (buffer == nullptr) return martlet::capi::missing("buffer");
    if (out_info == nullptr) return martlet::capi::missing("out_info");
    if (buffer_bytes < 0) return Answer(MARTLET_ERR_INVALID_ARGUMENT, "buffer_bytes is below 0");
    Answer bad = check_poll(messages_max, timeout_ms);
    if (bad.status() < 0 || !martlet::capi::read_info(out_info, bad)) return bad;
    martlet::Result<CompletionQueue::Filled> filled =
        self->queue->poll_into(static_cast<char*>(buffer), buffer_bytes, messages_max,
                               martlet::capi::timeout_ns_of(timeout_ms));
    if (!filled) {
      if (is_quiet(filled.code())) return quiet_status(filled.code());
      return filled.error();
    }
    if (filled->count == 0) {
      martlet::capi::write_info(out_info, 0, 0, filled->bytes_needed);
      return Answer(MARTLET_ERR_BUFFER_TOO_SMALL,
                    "the first entry needs " + std::to_string(filled->bytes_needed) +
                        " bytes, the buffer has " + std::to_string(buffer_bytes));
    }
    martlet::capi::write_info(out_info, filled->count, 0, filled->bytes);
    return MARTLET_OK;
  });
}

martlet_status martlet_queue_set_wake(martlet_queue* self, martlet_wake_fn fn, void* user_data,
                                      martlet_user_data_free_fn user_data_free,
                                      martlet_error** out_error) {
  return martlet::capi::guarded_blocking(self, out_error, [&]() -> Answer {
    self->wake->set(fn, user_data, user_data_free);
    if (self->queue->messages() > 0) self->wake->call();
    return MARTLET_OK;
  });
}

martlet_status martlet_queue_descriptor(martlet_queue* self, int32_t* out_fd,
                                        martlet_error** out_error) {
  return martlet::capi::guarded_on(self, out_error, [&]() -> Answer {
    if (out_fd == nullptr) return martlet::capi::missing("out_fd");
    martlet::Result<int> fd = self->queue->descriptor();
    if (!fd) return fd.error();
    *out_fd = *fd;
    return MARTLET_OK;
  });
}

martlet_status martlet_queue_notify_ready(martlet_queue* self, martlet_queue* target,
                                          int64_t cookie, martlet_error** out_error) {
  return martlet::capi::guarded_on(self, out_error, [&]() -> Answer {
    Answer bad(MARTLET_OK);
    martlet::capi::SharedQueue shared;
    if (!martlet::capi::read_queue(target, true, shared, bad)) return bad;
    if (target == self) return Answer(MARTLET_ERR_INVALID_ARGUMENT, "target is the queue itself");
    self->wake->set_notice(shared, cookie);
    if (self->queue->is_ready()) self->wake->send_notice();
    return MARTLET_OK;
  });
}

martlet_status martlet_queue_close(martlet_queue* self, martlet_error** out_error) {
  return martlet::capi::guarded_on(self, out_error, [&]() -> Answer {
    self->queue->close();
    return MARTLET_OK;
  });
}

void martlet_queue_free(martlet_queue* self) { martlet::capi::free_handle(self); }

}  // extern "C"
