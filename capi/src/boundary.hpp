// SPDX-License-Identifier: Apache-2.0
//
// Owns the border between the core and the C ABI: the one try/catch, the one place where an
// ErrorCode becomes a status, the checks of handles and sizes that every function makes first. A
// mistake of the caller is a status, never an abort.
#pragma once

#include <cstdint>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "handle.hpp"
#include "martlet/status.h"
#include "process_mark.hpp"

struct martlet_error {
  martlet_status status;
  std::string text;
};

struct martlet_text {
  std::string text;
};

namespace martlet::capi {

martlet_status status_of(ErrorCode code);

/// What a body of a call answers: a status, and the sentence of a failure.
class Answer {
 public:
  Answer(martlet_status status) : status_(status) {}
  Answer(martlet_status status, std::string text) : status_(status), text_(std::move(text)) {}
  Answer(const Error& error) : status_(status_of(error.code)), text_(error.context) {}
  Answer(const Status& status) : status_(status_of(status.code())) {
    if (!status.is_ok()) text_ = status.error().context;
  }
  martlet_status status() const { return status_; }
  std::string& text() { return text_; }

 private:
  martlet_status status_;
  std::string text_;
};

/// Gives the caller the error, if it asked for one. Without memory the status has to do.
martlet_status fail(martlet_error** out_error, martlet_status status,
                    std::string_view text) noexcept;

/// Runs `body` and turns whatever it does into a status. Everything that the C ABI calls in the
/// core goes through here.
template <typename Body>
martlet_status guarded(martlet_error** out_error, Body&& body) noexcept {
  try {
    Answer answer = std::forward<Body>(body)();
    if (answer.status() >= 0) return answer.status();
    return fail(out_error, answer.status(), answer.text());
  } catch (const std::bad_alloc&) {
    return fail(out_error, MARTLET_ERR_NO_MEMORY, "an allocation failed");
  } catch (const std::exception& exception) {
    return fail(out_error, MARTLET_ERR_INTERNAL, exception.what());
  } catch (...) {
    return fail(out_error, MARTLET_ERR_INTERNAL, "an unknown exception");
  }
}

/// As guarded(), after the checks of `self`: a live handle of its kind, of this process. For calls
/// that run no callback of the program.
template <typename Handle, typename Body>
martlet_status guarded_quick_on(const Handle* self, martlet_error** out_error,
                                Body&& body) noexcept {
  if (!is_live(self)) return fail(out_error, MARTLET_ERR_INVALID_HANDLE, handle_text<Handle>());
  if (self->process->is_forked()) {
    return fail(out_error, MARTLET_ERR_FORKED,
                "made before this process was forked: it belongs to the parent");
  }
  return guarded(out_error, std::forward<Body>(body));
}

/// The same for all others: what is freed in a callback ends when the call is over.
template <typename Handle, typename Body>
martlet_status guarded_on(const Handle* self, martlet_error** out_error, Body&& body) noexcept {
  const CallScope call;
  return guarded_quick_on(self, out_error, std::forward<Body>(body));
}

/// As guarded_on(), for calls that wait: refused inside a callback of ours.
template <typename Handle, typename Body>
martlet_status guarded_blocking(const Handle* self, martlet_error** out_error,
                                Body&& body) noexcept {
  if (CallbackScope::is_inside()) {
    return fail(out_error, MARTLET_ERR_IN_CALLBACK,
                "this call waits, and was made inside a callback");
  }
  return guarded_on(self, out_error, std::forward<Body>(body));
}

/// Ends a handle: marks it dead first. In a forked child the object is let go without running what
/// would touch the parent's descriptors and threads. Inside a callback its end has to wait: the
/// frames below the callback may use it, or the thread may be the one that its end waits for.
template <typename Handle>
void free_handle(Handle* self) noexcept {
  if (self == nullptr || !is_live(self)) return;
  const bool forked = self->process->is_forked();
  retire(self);
  if (forked) return;
  const CallScope call;
  self->destroy = [](HandleHead* head) {
    try {
      delete static_cast<Handle*>(head);
    } catch (...) {
      // A destructor that throws is a defect of ours; the caller cannot do anything about it.
    }
  };
  if (CallbackScope::is_inside()) {
    end_later(self);
  } else {
    self->destroy(self);
  }
}

/// A view of the caller's text or bytes; false, with the answer to give, if pointer and length do
/// not fit together.
inline bool read_bytes(const void* data, int64_t bytes, const char* name, std::string_view& out,
                       Answer& answer) {
  if (bytes < 0 || bytes > INT32_MAX) {
    answer = Answer(MARTLET_ERR_INVALID_ARGUMENT, std::string(name) + ": a length of " +
                                                      std::to_string(bytes) + " bytes cannot be");
    return false;
  }
  if (data == nullptr && bytes > 0) {
    answer =
        Answer(MARTLET_ERR_INVALID_ARGUMENT, std::string(name) + ": NULL with a length above 0");
    return false;
  }
  out = bytes > 0 ? std::string_view(static_cast<const char*>(data), static_cast<size_t>(bytes))
                  : std::string_view();
  return true;
}

inline Answer missing(const char* name) {
  return Answer(MARTLET_ERR_INVALID_ARGUMENT, std::string(name) + " is NULL");
}

/// -1 is without limit in the core too; below that is a mistake.
inline int64_t timeout_ns_of(int32_t timeout_ms) {
  return timeout_ms < 0 ? -1 : static_cast<int64_t>(timeout_ms) * 1000000;
}

inline martlet_text* make_text(std::string text) { return new martlet_text{std::move(text)}; }

}  // namespace martlet::capi
