// SPDX-License-Identifier: Apache-2.0
//
// Owns how the arguments of a publish or a request become the views that the C ABI takes. By the
// plain Node-API, because this is what is done millions of times.
#pragma once

#include <node_api.h>

#include <string>

#include "martlet/cpp/connection.hpp"

namespace martlet::node {

/// A string of JavaScript as UTF-8, or the bytes of a typed array, DataView or ArrayBuffer. Half a
/// surrogate pair becomes U+FFFD.
class Bytes {
 public:
  Bytes() = default;
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  /// False for a value of another type. undefined and null are empty.
  bool read_text(napi_env env, napi_value value);
  bool read_string(napi_env env, napi_value value);
  bool read(napi_env env, napi_value value);
  std::string_view view() const { return view_; }

 private:
  bool read_buffer(napi_env env, napi_value value);
  bool read_other(napi_env env, napi_value value);

  char inside_[256];
  std::string outside_;
  std::string_view view_;
};

inline constexpr const char* wrong_data =
    "data must be a Uint8Array, another view of bytes or a string";

/// The views of one message; they live as long as this, and the call's arguments. Only in `data`
/// half a surrogate pair may stand.
class OutgoingArguments {
 public:
  /// What is wrong, as the name of the argument and what it must be; null when nothing is.
  const char* read(napi_env env, napi_value subject, napi_value data, napi_value reply,
                   napi_value headers);
  cpp::Outgoing out;

 private:
  Bytes subject_;
  Bytes data_;
  Bytes reply_;
  Bytes headers_;
};

}  // namespace martlet::node
