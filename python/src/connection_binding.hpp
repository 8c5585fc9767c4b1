// SPDX-License-Identifier: Apache-2.0
//
// Owns the connection as the friendly classes see it: 1:1 with the C ABI, but for publish, which
// takes Python's values as they come.
#pragma once

#include <memory>
#include <string>
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
  /// Gives threads and descriptors of a connection that is over back, once nobody is in a call.
  void free_if_over();
  /// Throws when it has been given back.
  cpp::Connection& alive();

  cpp::Connection connection;  // Null when it has been given back.
  bool over = false;           // It is closed, and nobody will use it again.
  int calls = 0;               // That are under way without the GIL.
  std::string statistics;      // The last ones, as those below, when it has been given back.
  int64_t max_payload = 0;
  /// Queues for blocking calls, one for each thread that is in one; kept for the next. Under the
  /// GIL.
  std::vector<std::unique_ptr<CallQueue>> idle_calls;
};

/// Marks a call that lets go of the GIL, so that the connection outlives it.
class Call {
 public:
  explicit Call(RawConnection& raw) : raw_(raw) { ++raw_.calls; }
  ~Call() noexcept(false) {
    --raw_.calls;
    if (raw_.over) raw_.free_if_over();
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

 private:
  RawConnection& raw_;
};

/// Is this what a publish gives that has nothing to wait for?
bool is_done_awaitable(PyObject* object);

/// Null, with an exception, for anything but an initialised Connection.
RawConnection* to_connection(PyObject* object);

void bind_connection(py::module_& module);
void bind_server(py::module_& module);

}  // namespace martlet::python
