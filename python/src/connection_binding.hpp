// SPDX-License-Identifier: Apache-2.0
//
// Owns the connection as the friendly classes see it: 1:1 with the C ABI, but for publish, which
// takes Python's values as they come.
#pragma once

#include "martlet/cpp/connection.hpp"
#include "support.hpp"

namespace martlet::python {

/// What stands behind martlet._raw.Connection.
struct RawConnection {
  explicit RawConnection(cpp::Connection made) : connection(std::move(made)) {}
  /// Ends it without the GIL: its thread is joined.
  ~RawConnection();
  cpp::Connection connection;
};

/// Null, with an exception, for anything but an initialised Connection.
RawConnection* to_connection(PyObject* object);

/// In a forked child: lets go of what blocking calls of this thread were waiting on.
void forget_call_queue();

void bind_connection(py::module_& module);
void bind_server(py::module_& module);

}  // namespace martlet::python
