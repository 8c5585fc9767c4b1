// SPDX-License-Identifier: Apache-2.0
//
// Owns how the C++ layer over the C ABI fails: an exception with the status and the sentence.
// Header only; it uses nothing but the C headers, so that it means the same in every program
// whatever its compiler.
#pragma once

#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include "martlet/status.h"

namespace martlet::cpp {

/// What a call of the C ABI answered that failed.
class Error : public std::exception {
 public:
  Error(martlet_status status, std::string text) : status_(status), text_(std::move(text)) {}
  const char* what() const noexcept override { return text_.c_str(); }
  martlet_status status() const noexcept { return status_; }
  const std::string& text() const noexcept { return text_; }

 private:
  martlet_status status_;
  std::string text_;
};

/// Gathers the error of one call. Use: `ErrorOut error; check(martlet_x(..., error), error)`.
class ErrorOut {
 public:
  ErrorOut() = default;
  ErrorOut(const ErrorOut&) = delete;
  ErrorOut& operator=(const ErrorOut&) = delete;
  ~ErrorOut() { martlet_error_free(error_); }
  operator martlet_error**() { return &error_; }
  /// What the error says of itself; what the call answered, where it gave none.
  martlet_status status(martlet_status answered) const {
    return error_ ? martlet_error_status(error_) : answered;
  }
  std::string text(martlet_status status) const {
    int64_t bytes = 0;
    const char* text =
        error_ ? martlet_error_text(error_, &bytes) : martlet_status_name(status, &bytes);
    return std::string(text, static_cast<size_t>(bytes));
  }

 private:
  martlet_error* error_ = nullptr;
};

/// Throws when `status` is an error; else passes it on (OK, AGAIN or DONE).
inline martlet_status check(martlet_status status, const ErrorOut& error) {
  if (status < 0) throw Error(error.status(status), error.text(status));
  return status;
}

/// A text that the library gave; freed here.
inline std::string take_text(martlet_text* text) {
  int64_t bytes = 0;
  const char* data = martlet_text_get(text, &bytes);
  std::string out(data, static_cast<size_t>(bytes));
  martlet_text_free(text);
  return out;
}

inline int64_t size_of(std::string_view text) { return static_cast<int64_t>(text.size()); }

/// Owns one handle: movable, freed once.
template <typename Handle, void (*free_handle)(Handle*)>
class Owned {
 public:
  Owned() = default;
  explicit Owned(Handle* handle) : handle_(handle) {}
  Handle* get() const { return handle_.get(); }
  explicit operator bool() const { return handle_ != nullptr; }
  void reset() { handle_.reset(); }

 private:
  struct Free {
    void operator()(Handle* handle) const { free_handle(handle); }
  };
  std::unique_ptr<Handle, Free> handle_;
};

}  // namespace martlet::cpp
