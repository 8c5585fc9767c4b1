// SPDX-License-Identifier: Apache-2.0
//
// Owns the reading of what JavaScript gives to be published.
#include "outgoing_arguments.hpp"

#include "text.hpp"

namespace martlet::node {
namespace {

size_t element_bytes(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array:
    case napi_uint8_array:
    case napi_uint8_clamped_array:
      return 1;
    case napi_int16_array:
    case napi_uint16_array:
      return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array:
      return 4;
    default:
      return 8;
  }
}

std::string_view view_of(const void* data, size_t bytes) {
  return bytes > 0 ? std::string_view(static_cast<const char*>(data), bytes) : std::string_view();
}

}  // namespace

bool Bytes::read_string(napi_env env, napi_value value) {
  size_t bytes = 0;
  if (napi_get_value_string_utf8(env, value, inside_, sizeof(inside_), &bytes) != napi_ok)
    return false;
  // A character has four bytes at most: with fewer left than that it may have been cut.
  if (bytes + 4 < sizeof(inside_)) {
    view_ = std::string_view(inside_, bytes);
    return true;
  }
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &bytes) != napi_ok) return false;
  outside_.resize(bytes);
  napi_get_value_string_utf8(env, value, outside_.data(), bytes + 1, &bytes);
  view_ = outside_;
  return true;
}

bool Bytes::read_text(napi_env env, napi_value value) {
  if (read_string(env, value)) return true;
  napi_valuetype type = napi_undefined;
  napi_typeof(env, value, &type);
  return type == napi_undefined || type == napi_null;
}

bool Bytes::read(napi_env env, napi_value value) {
  return read_buffer(env, value) || read_other(env, value);
}

// What is given most, by the two calls that ask least.
bool Bytes::read_buffer(napi_env env, napi_value value) {
  bool is_buffer = false;
  void* data = nullptr;
  size_t bytes = 0;
  if (napi_is_buffer(env, value, &is_buffer) != napi_ok || !is_buffer) return false;
  if (napi_get_buffer_info(env, value, &data, &bytes) != napi_ok) return false;
  view_ = view_of(data, bytes);
  return true;
}

bool Bytes::read_other(napi_env env, napi_value value) {
  napi_typedarray_type array_type = napi_uint8_array;
  size_t length = 0;
  void* data = nullptr;
  const napi_status is_array =
      napi_get_typedarray_info(env, value, &array_type, &length, &data, nullptr, nullptr);
  if (is_array == napi_ok) {
    view_ = view_of(data, length * element_bytes(array_type));
    return true;
  }
  if (read_text(env, value)) return true;
  if (napi_get_dataview_info(env, value, &length, &data, nullptr, nullptr) == napi_ok ||
      napi_get_arraybuffer_info(env, value, &data, &length) == napi_ok) {
    view_ = view_of(data, length);
    return true;
  }
  return false;
}

const char* OutgoingArguments::read(napi_env env, napi_value subject, napi_value data,
                                    napi_value reply, napi_value headers) {
  if (!subject_.read_string(env, subject)) return "subject must be a string";
  if (!data_.read(env, data)) return wrong_data;
  if (reply != nullptr && !reply_.read_text(env, reply)) return "reply must be a string";
  if (headers != nullptr && !headers_.read(env, headers)) return "headers must be a block of bytes";
  if (has_half_pair(env, subject, subject_.view())) return "subject holds half a surrogate pair";
  if (has_half_pair(env, reply, reply_.view())) return "reply holds half a surrogate pair";
  if (has_half_pair(env, headers, headers_.view())) return "headers hold half a surrogate pair";
  out.subject = subject_.view();
  out.data = data_.view();
  out.reply = reply_.view();
  out.headers = headers_.view();
  return nullptr;
}

}  // namespace martlet::node
