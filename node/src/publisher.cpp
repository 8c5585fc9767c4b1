// SPDX-License-Identifier: Apache-2.0
//
// By the plain Node-API.
#include "publisher.hpp"

#include "lead.hpp"
#include "outgoing_arguments.hpp"
#include "support.hpp"

namespace martlet::node {
namespace {

/// OK or AGAIN; null with an exception pending.
napi_value send(napi_env env, Outlet& outlet, const cpp::Outgoing& out) {
  cpp::ErrorOut error;
  const martlet_status status = martlet_connection_publish(
      outlet.connection->get(), out.subject.data(), cpp::size_of(out.subject), out.reply.data(),
      cpp::size_of(out.reply), out.headers.data(), cpp::size_of(out.headers), out.data.data(),
      cpp::size_of(out.data), error);
  if (status < 0) {
    throw_status(env, status, error.text(status));
    return nullptr;
  }
  if (outlet.lead != nullptr) outlet.lead->note_published(outlet);
  napi_value answer = nullptr;
  napi_create_int32(env, status, &answer);
  return answer;
}

napi_value send_to_last(napi_env env, Outlet& outlet, napi_value data) {
  Bytes bytes;
  if (!bytes.read(env, data)) {
    throw_status(env, MARTLET_ERR_INVALID_ARGUMENT, wrong_data);
    return nullptr;
  }
  return send(env, outlet, {outlet.subject, {}, {}, bytes.view()});
}

// What was not given costs nothing: most messages have neither a reply subject nor headers.
napi_value send_to(napi_env env, Outlet& outlet, const napi_value* arguments, size_t count) {
  OutgoingArguments read;
  const char* const wrong =
      read.read(env, arguments[1], arguments[0], count > 2 ? arguments[2] : nullptr,
                count > 3 ? arguments[3] : nullptr);
  if (wrong != nullptr) {
    throw_status(env, MARTLET_ERR_INVALID_ARGUMENT, wrong);
    return nullptr;
  }
  const napi_value answer = send(env, outlet, read.out);
  if (answer != nullptr) outlet.subject.assign(read.out.subject);
  return answer;
}

napi_value publish(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  size_t count = 4;
  void* data = nullptr;
  napi_get_cb_info(env, info, &count, arguments, nullptr, &data);
  Outlet& outlet = **static_cast<std::shared_ptr<Outlet>*>(data);
  if (outlet.connection == nullptr) {
    throw_status(env, MARTLET_ERR_CLOSED, "the connection is closed");
    return nullptr;
  }
  if (count < 2) return send_to_last(env, outlet, arguments[0]);
  return send_to(env, outlet, arguments, count);
}

void let_go(napi_env, void* data, void*) { delete static_cast<std::shared_ptr<Outlet>*>(data); }

}  // namespace

napi_value make_publish(napi_env env, std::shared_ptr<Outlet> outlet) {
  auto carried = std::make_unique<std::shared_ptr<Outlet>>(std::move(outlet));
  napi_value function = nullptr;
  if (napi_create_function(env, "publish", NAPI_AUTO_LENGTH, &publish, carried.get(), &function) !=
          napi_ok ||
      napi_add_finalizer(env, function, carried.get(), &let_go, nullptr, nullptr) != napi_ok) {
    throw_status(env, MARTLET_ERR_NO_MEMORY, "no memory for a function");
    return nullptr;
  }
  carried.release();
  return function;
}

}  // namespace martlet::node
