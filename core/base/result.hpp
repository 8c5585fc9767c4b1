// SPDX-License-Identifier: Apache-2.0
//
// Owns Result<T> and Status: how a function of the core answers that may fail. Nothing here throws;
// the context text is allocated on failure only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/assert.hpp"
#include "base/error_code.hpp"

namespace martlet {

/// Why something failed: a code from the one table and a sentence that names the thing and the
/// limit.
struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string context;
};

/// Success, or an Error. Cheap to return on success: one empty pointer.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::make_unique<Error>(std::move(error))) {}
  Status(ErrorCode code, std::string context)
      : error_(std::make_unique<Error>(Error{code, std::move(context)})) {}

  bool is_ok() const { return error_ == nullptr; }
  explicit operator bool() const { return is_ok(); }
  ErrorCode code() const { return error_ ? error_->code : ErrorCode::ok; }
  const Error& error() const {
    MARTLET_ASSERT(error_ != nullptr);
    return *error_;
  }
  /// Moves the error out, to pass it on as a Result of another type.
  Error take_error() {
    MARTLET_ASSERT(error_ != nullptr);
    return std::move(*error_);
  }

 private:
  std::unique_ptr<Error> error_;
};

/// A value, or an Error. Asking for the value of a failure is a broken invariant.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Error error) : status_(std::move(error)) {}
  Result(ErrorCode code, std::string context) : status_(code, std::move(context)) {}
  Result(Status status) : status_(std::move(status)) { MARTLET_ASSERT(!status_.is_ok()); }

  bool is_ok() const { return value_.has_value(); }
  explicit operator bool() const { return is_ok(); }
  ErrorCode code() const { return status_.code(); }
  const Error& error() const { return status_.error(); }
  Error take_error() { return status_.take_error(); }

  T& value() {
    MARTLET_ASSERT(value_.has_value());
    return *value_;
  }
  const T& value() const {
    MARTLET_ASSERT(value_.has_value());
    return *value_;
  }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace martlet
