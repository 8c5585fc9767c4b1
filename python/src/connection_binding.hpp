// SPDX-License-Identifier: Apache-2.0
//
// Owns the connection as the friendly classes see it: 1:1 with the C ABI, but for publish, which
// takes Python's values as they come.
#pragma once

#include <memory>
#include <vector>

#include "martlet/cpp/connection.hpp"
#include "support.hpp"

namespace martlet::python {

/// Where one blocking call at a time waits. An answer to a call that was given up is passed over by
/// its cookie.
struct CallQueue {
  cpp::Queue queue;
  int64_t cookie = 0;
};

/// What stands behind martlet._raw.Connection.
struct RawConnection {
  explicit RawConnection(cpp::Connection made) : connection(std::move(made)) {}
  /// Ends it without the GIL: its thread is joined.
  ~RawConnection();
  cpp::Connection connection;
  /// Queues for blocking calls, one for each thread that is in one; kept for the next. Under the
  /// GIL.
  std::vector<std::unique_ptr<CallQueue>> idle_calls;
};

/// Null, with an exception, for anything but an initialised Connection.
RawConnection* to_connection(PyObject* object);

void bind_connection(py::module_& module);
void bind_server(py::module_& module);

}  // namespace martlet::python
