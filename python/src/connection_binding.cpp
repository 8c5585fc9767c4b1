// SPDX-License-Identifier: Apache-2.0
//
// Owns martlet._raw.Connection. publish is the one call that is made millions of times: it is
// attached to the class as a METH_FASTCALL function, the rest is pybind11. Whatever may wait runs
// without the GIL.
#include "connection_binding.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <thread>

#include "bound.hpp"
#include "reader_aio.hpp"

namespace martlet::python {
namespace {

PyTypeObject* connection_type = nullptr;  // Set when the module is made.

/// What `await` finds done already.
PyObject* done_object = nullptr;

// --- publish ---

struct PublishArguments {
  PyObject* subject = nullptr;
  PyObject* payload = nullptr;
  PyObject* reply = nullptr;
  PyObject* headers = nullptr;
};

bool read_arguments(PyObject* const* args, Py_ssize_t count, PyObject* keywords,
                    PublishArguments& out) {
  PyObject** const slots[] = {&out.subject, &out.payload, &out.reply, &out.headers};
  static const char* const names[] = {"subject", "payload", "reply", "headers"};
  if (count > 4) {
    PyErr_Format(PyExc_TypeError, "publish() takes at most 4 arguments (%zd given)", count);
    return false;
  }
  for (Py_ssize_t i = 0; i < count; ++i) *slots[i] = args[i];
  const Py_ssize_t keyword_count = keywords != nullptr ? PyTuple_GET_SIZE(keywords) : 0;
  for (Py_ssize_t k = 0; k < keyword_count; ++k) {
    PyObject* const name = PyTuple_GET_ITEM(keywords, k);
    int i = 0;
    while (i < 4 && PyUnicode_CompareWithASCIIString(name, names[i]) != 0) ++i;
    if (i == 4 || *slots[i] != nullptr) {
      PyErr_Format(PyExc_TypeError, "publish() got an unexpected or repeated argument %R", name);
      return false;
    }
    *slots[i] = args[count + k];
  }
  if (out.subject != nullptr) return true;
  PyErr_SetString(PyExc_TypeError, "publish() needs a subject");
  return false;
}

/// The views of one publish, alive as long as this object.
class Message {
 public:
  bool read(const PublishArguments& arguments) {
    if (!text_of(arguments.subject, "subject", out.subject)) return false;
    if (arguments.payload != nullptr && !payload_.read(arguments.payload, "payload")) return false;
    out.data = payload_.view();
    if (arguments.reply != nullptr && !text_of(arguments.reply, "reply", out.reply)) return false;
    if (arguments.headers == nullptr || arguments.headers == Py_None) return true;
    if (!append_headers(arguments.headers, headers_)) return false;
    out.headers = headers_;
    return true;
  }
  int64_t bytes() const {
    return static_cast<int64_t>(out.subject.size() + out.reply.size() + out.headers.size() +
                                out.data.size());
  }
  cpp::Outgoing out;

 private:
  Bytes payload_;
  std::string headers_;
};

martlet_status publish_once(RawConnection& raw, const Message& message, martlet_error** error) {
  const cpp::Outgoing& out = message.out;
  return martlet_connection_publish(
      raw.connection.get(), out.subject.data(), cpp::size_of(out.subject), out.reply.data(),
      cpp::size_of(out.reply), out.headers.data(), cpp::size_of(out.headers), out.data.data(),
      cpp::size_of(out.data), error);
}

// publish: waits without the GIL while the outgoing buffer is at its bound.
PyObject* publish(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  RawConnection* const raw = to_connection(self);
  PublishArguments arguments;
  Message message;
  if (raw == nullptr || !read_arguments(args, count, keywords, arguments) ||
      !message.read(arguments))
    return nullptr;
  const Call call(*raw);  // Around all of it: another thread may close the connection.
  for (;;) {
    martlet_status status;
    {
      cpp::ErrorOut error;
      status = publish_once(*raw, message, error);
      if (status < 0) return raise_status(status, error.text(status));
    }
    if (status == MARTLET_OK) Py_RETURN_NONE;
    cpp::ErrorOut error;
    status = wait_interruptibly(-1, [&](int32_t slice_ms) {
      return martlet_connection_wait_capacity(raw->connection.get(), message.bytes(), slice_ms,
                                              error);
    });
    if (status >= 0) continue;
    return PyErr_Occurred() != nullptr ? nullptr : raise_status(status, error.text(status));
  }
}

// publish_awaitable: what it returns is awaited; when the outgoing buffer is at its bound that is
// the coroutine self._publish_later(...), which waits for room.
PyObject* publish_awaitable(PyObject* self, PyObject* const* args, Py_ssize_t count,
                            PyObject* keywords) {
  RawConnection* const raw = to_connection(self);
  PublishArguments arguments;
  Message message;
  if (raw == nullptr || !read_arguments(args, count, keywords, arguments) ||
      !message.read(arguments))
    return nullptr;
  cpp::ErrorOut error;
  const martlet_status status = publish_once(*raw, message, error);
  if (status == MARTLET_OK) return new_ref(done_object);
  if (status < 0) return raise_status(status, error.text(status));
  PyObject* const empty = PyBytes_FromStringAndSize("", 0);
  PyObject* const no_reply = PyUnicode_FromString("");
  PyObject* const method = PyObject_GetAttrString(self, "_publish_later");
  PyObject* result = nullptr;
  if (empty != nullptr && no_reply != nullptr && method != nullptr) {
    PyObject* const bytes = PyLong_FromLongLong(message.bytes());
    result = PyObject_CallFunctionObjArgs(
        method, bytes, arguments.subject, arguments.payload != nullptr ? arguments.payload : empty,
        arguments.reply != nullptr ? arguments.reply : no_reply,
        arguments.headers != nullptr ? arguments.headers : Py_None, nullptr);
    Py_XDECREF(bytes);
  }
  Py_XDECREF(empty);
  Py_XDECREF(no_reply);
  Py_XDECREF(method);
  return result;
}

// publish_try: True when taken, False when the outgoing buffer is at its bound.
PyObject* publish_try(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  RawConnection* const raw = to_connection(self);
  PublishArguments arguments;
  Message message;
  if (raw == nullptr || !read_arguments(args, count, keywords, arguments) ||
      !message.read(arguments))
    return nullptr;
  cpp::ErrorOut error;
  const martlet_status status = publish_once(*raw, message, error);
  if (status < 0) return raise_status(status, error.text(status));
  return PyBool_FromLong(status == MARTLET_OK);
}

template <typename Function>
PyCFunction as_function(Function* function) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

PyMethodDef publish_methods[] = {
    {"publish", as_function(publish), METH_FASTCALL | METH_KEYWORDS,
     "publish(subject, payload=b'', reply='', headers=None)\n--\n\n"
     "Publishes a message. Waits, without the GIL, while the outgoing buffer is at its bound."},
    {"publish_awaitable", as_function(publish_awaitable), METH_FASTCALL | METH_KEYWORDS,
     "publish(subject, payload=b'', reply='', headers=None)\n--\n\n"
     "Publishes a message. Awaiting it waits while the outgoing buffer is at its bound."},
    {"publish_try", as_function(publish_try), METH_FASTCALL | METH_KEYWORDS,
     "publish_try(subject, payload=b'', reply='', headers=None)\n--\n\n"
     "Publishes a message and answers True; False, at once, while the outgoing buffer is at its "
     "bound."},
};

// --- the awaitable that is done ---

PyObject* done_next(PyObject*) { return nullptr; }  // StopIteration without a value.

#if PY_VERSION_HEX >= 0x030A0000
PySendResult done_send(PyObject*, PyObject*, PyObject** result) {
  *result = new_ref(Py_None);
  return PYGEN_RETURN;
}
#endif

// send, throw and close make it a coroutine in the eyes of asyncio: create_task takes it.
PyObject* done_send_method(PyObject*, PyObject*) {
  PyErr_SetNone(PyExc_StopIteration);
  return nullptr;
}

PyObject* done_throw(PyObject*, PyObject* args) {
  PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
  if (!PyArg_ParseTuple(args, "O|OO:throw", &type, &value, &traceback)) return nullptr;
  if (PyExceptionInstance_Check(type)) {
    PyErr_SetObject(PyExceptionInstance_Class(type), type);
  } else {
    PyErr_SetObject(type, value != nullptr ? value : Py_None);
  }
  return nullptr;
}

PyObject* done_close(PyObject*, PyObject*) { Py_RETURN_NONE; }

bool make_done(PyObject* module) {
  static PyMethodDef methods[] = {
      {"send", done_send_method, METH_O, nullptr},
      {"throw", done_throw, METH_VARARGS, nullptr},
      {"close", done_close, METH_NOARGS, nullptr},
      {nullptr, nullptr, 0, nullptr},
  };
  static PyType_Slot slots[] = {
      {Py_tp_methods, methods},
      {Py_tp_iter, reinterpret_cast<void*>(PyObject_SelfIter)},
      {Py_tp_iternext, reinterpret_cast<void*>(done_next)},
      {Py_am_await, reinterpret_cast<void*>(PyObject_SelfIter)},
#if PY_VERSION_HEX >= 0x030A0000
      {Py_am_send, reinterpret_cast<void*>(done_send)},
#endif
      {0, nullptr},
  };
  static PyType_Spec spec = {"martlet._raw.Done", sizeof(PyObject), 0, type_flags_closed, slots};
  PyObject* const type = PyType_FromSpec(&spec);
  if (type == nullptr || !add_to_module(module, "Done", type)) return false;
  done_object = PyObject_New(PyObject, reinterpret_cast<PyTypeObject*>(type));
  return done_object != nullptr;
}

// --- what waits: through a queue of the calling thread, in slices, so that Ctrl-C ends it ---

// Calls `function(connection)` without the GIL.
template <typename Function>
auto without_gil(RawConnection& raw, Function function) {
  cpp::Connection& connection = raw.alive();
  const Call call(raw);
  const WithoutGil without;
  return function(connection);
}

// The same for what the library waits in by itself: on the main thread, where Ctrl-C is heard, a
// thread of its own makes the call, and closing the connection ends it when a signal handler
// raised.
void wait_in_call(RawConnection& raw, void (cpp::Connection::*wait)(int32_t), int32_t timeout_ms) {
  cpp::Connection& connection = raw.alive();
  const Call call(raw);
  if (!hears_signals()) {
    const WithoutGil without;
    return (connection.*wait)(timeout_ms);
  }
  std::packaged_task<void()> task([&] { (connection.*wait)(timeout_ms); });
  std::future<void> done = task.get_future();
  std::thread thread(std::move(task));
  const martlet_status status = wait_interruptibly(-1, [&](int32_t slice_ms) {
    const bool ready =
        done.wait_for(std::chrono::milliseconds(slice_ms)) == std::future_status::ready;
    return ready ? MARTLET_OK : MARTLET_AGAIN;
  });
  {
    const WithoutGil without;
    if (status != MARTLET_OK) martlet_connection_close(connection.get(), nullptr);
    thread.join();
  }
  if (status != MARTLET_OK) throw py::error_already_set();
  done.get();
}

// Runs `start(queue, cookie)` and waits for the descriptor with that cookie. With the GIL, but for
// the waiting.
template <typename Start>
cpp::Batch call_and_wait(RawConnection& raw, Start&& start) {
  raw.alive();
  const Call under_way(raw);
  std::unique_ptr<CallQueue> call;
  if (raw.idle_calls.empty()) {
    call = std::make_unique<CallQueue>();
  } else {
    call = std::move(raw.idle_calls.back());
    raw.idle_calls.pop_back();
  }
  const int64_t cookie = ++call->cookie;
  start(call->queue.get(), cookie);
  for (;;) {
    cpp::ErrorOut error;
    martlet_batch* taken = nullptr;
    const martlet_status status = wait_interruptibly(-1, [&](int32_t slice_ms) {
      return martlet_queue_poll(call->queue.get(), 1, slice_ms, &taken, error);
    });
    if (PyErr_Occurred() != nullptr) throw py::error_already_set();
    cpp::check(status, error);
    if (status != MARTLET_OK) throw cpp::Error(MARTLET_ERR_CLOSED, "the call's queue was closed");
    cpp::Batch batch(taken);
    if (batch.at(0).cookie != cookie) continue;
    raw.idle_calls.push_back(std::move(call));
    return batch;
  }
}

int32_t to_timeout_ms(py::handle timeout) {
  const int64_t timeout_ms = timeout_ms_of(timeout.ptr());
  if (timeout_ms == -2) throw py::error_already_set();
  return static_cast<int32_t>(std::min<int64_t>(timeout_ms, INT32_MAX));
}

/// What is left of a time that began when this was made.
class Deadline {
 public:
  explicit Deadline(int32_t timeout_ms)
      : timeout_ms_(timeout_ms), begin_(std::chrono::steady_clock::now()) {}
  int64_t elapsed_ns() const {
    const auto elapsed = std::chrono::steady_clock::now() - begin_;
    return std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count();
  }
  int32_t left_ms() const {
    if (timeout_ms_ < 0) return -1;
    return static_cast<int32_t>(std::max<int64_t>(timeout_ms_ - elapsed_ns() / 1'000'000, 0));
  }

 private:
  int32_t timeout_ms_;
  std::chrono::steady_clock::time_point begin_;
};

// Waits for room in the outgoing buffer.
void wait_for_room(RawConnection& raw, int64_t message_bytes, int32_t timeout_ms) {
  cpp::ErrorOut error;
  const martlet_status status = wait_interruptibly(timeout_ms, [&](int32_t slice_ms) {
    return martlet_connection_wait_capacity(raw.connection.get(), message_bytes, slice_ms, error);
  });
  if (PyErr_Occurred() != nullptr) throw py::error_already_set();
  if (cpp::check(status, error) == MARTLET_AGAIN)
    throw cpp::Error(MARTLET_ERR_TIMEOUT, "the outgoing buffer had no room in time");
}

py::object request(py::object self, py::handle subject, py::handle payload, py::handle timeout,
                   py::handle headers) {
  RawConnection* const raw = to_connection(self.ptr());
  if (raw == nullptr) throw py::error_already_set();
  const int32_t timeout_ms = to_timeout_ms(timeout);
  Message message;
  PublishArguments arguments{subject.ptr(), payload.ptr(), nullptr, headers.ptr()};
  if (!message.read(arguments)) throw py::error_already_set();
  cpp::Batch batch = call_and_wait(*raw, [&](martlet_queue* queue, int64_t cookie) {
    const Deadline deadline(timeout_ms);
    while (raw->connection.request_start(message.out, deadline.left_ms(), queue, cookie) ==
           MARTLET_AGAIN) {
      wait_for_room(*raw, message.bytes(), deadline.left_ms());
    }
  });
  const int32_t status = batch.at(0).status;
  if (status < 0)
    throw cpp::Error(status, request_failure_text(status, message.out.subject, timeout_ms));
  SharedBatch* const shared = new SharedBatch(std::move(batch), self.ptr());
  PyObject* const reply = make_message(message_types().sync, shared, shared->at(0));
  shared->release();
  if (reply == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(reply);
}

void flush(RawConnection& raw, int32_t timeout_ms) {
  cpp::Batch batch = call_and_wait(raw, [&](martlet_queue* queue, int64_t cookie) {
    raw.connection.flush_start(timeout_ms, queue, cookie);
  });
  const int32_t status = batch.at(0).status;
  if (status < 0) throw cpp::Error(status, failure_text(status, "the flush failed"));
}

int64_t rtt_ns(Bound<RawConnection> raw, py::handle timeout) {
  const Deadline clock(to_timeout_ms(timeout));
  flush(*raw, clock.left_ms());
  return clock.elapsed_ns();
}

// Starts a request by `start`. 0 when it was sent; else the bytes that the outgoing buffer has no
// room for at the moment.
template <typename Start>
int64_t start_request(py::handle subject, py::handle payload, py::handle timeout,
                      py::handle headers, py::handle reader, Start&& start) {
  const int32_t timeout_ms = to_timeout_ms(timeout);
  Message message;
  PublishArguments arguments{subject.ptr(), payload.ptr(), nullptr, headers.ptr()};
  martlet_queue* const queue = queue_from(reader)->get();
  if (!message.read(arguments)) throw py::error_already_set();
  return start(message.out, timeout_ms, queue) == MARTLET_OK ? 0 : message.bytes();
}

int64_t request_start(Bound<RawConnection> raw, py::handle subject, py::handle payload,
                      py::handle timeout, py::handle headers, py::handle reader, int64_t cookie) {
  return start_request(subject, payload, timeout, headers, reader,
                       [&](const cpp::Outgoing& out, int32_t timeout_ms, martlet_queue* queue) {
                         return raw->alive().request_start(out, timeout_ms, queue, cookie);
                       });
}

// As request_start, for many answers: each is a completion of the reader, with the cookie.
int64_t request_many_start(Bound<RawConnection> raw, py::handle subject, py::handle payload,
                           py::handle timeout, py::handle headers, int64_t replies_max,
                           py::handle reader, int64_t cookie) {
  return start_request(subject, payload, timeout, headers, reader,
                       [&](const cpp::Outgoing& out, int32_t timeout_ms, martlet_queue* queue) {
                         return raw->alive().request_many_start(out, replies_max, timeout_ms, queue,
                                                                cookie);
                       });
}

/// The library's turn on a lent loop, and the waking of who waits. The time until the next one is
/// due in ms, -1 without limit, -2 when the connection is closed.
int32_t turn(Bound<RawConnection> raw, Bound<Notifier> notifier) {
  cpp::Connection& connection = raw->alive();
  const Call call(*raw);  // What is woken may close the connection.
  notifier->begin_turn();
  cpp::ErrorOut error;
  const martlet_status status = martlet_connection_process(connection.get(), error);
  notifier->end_turn();
  cpp::check(status, error);
  drain_notifier(*notifier);
  return status == MARTLET_OK ? connection.next_timeout_ms() : -2;
}

std::unique_ptr<RawConnection> make_connection(const std::string& options, py::handle server,
                                               py::handle events) {
  martlet_queue* const queue = events.is_none() ? nullptr : queue_from(events)->get();
  if (server.is_none()) return std::make_unique<RawConnection>(cpp::Connection(options, queue, 0));
  cpp::Server& broker = *py::cast<Bound<cpp::Server>>(server);
  return std::make_unique<RawConnection>(cpp::Connection(broker.get(), options, queue, 0));
}

void bind_notifier(py::module_& module) {
  py::class_<Notifier, std::shared_ptr<Notifier>>(module, "Notifier")
      .def(py::init([] {
        std::shared_ptr<Notifier> notifier = Notifier::create();
        if (notifier == nullptr) throw py::error_already_set();
        return notifier;
      }))
      .def_property_readonly("descriptor",
                             [](Bound<Notifier> notifier) { return notifier->descriptor(); })
      .def("drain",
           [](Bound<Notifier> notifier) {
             drain_notifier(*notifier);
             return notifier->has_noted();
           })
      .def("close", [](Bound<Notifier> notifier) { notifier->close(); });
}

// What waits.
void bind_calls(py::class_<RawConnection>& type) {
  using Raw = Bound<RawConnection>;
  type.def("connect_now",
           [](Raw raw, int32_t timeout_ms) {
             wait_in_call(*raw, &cpp::Connection::connect, timeout_ms);
           })
      .def("request_now", &request)
      .def("request_start", &request_start)
      .def("request_many_start", &request_many_start)
      .def("flush_now", [](Raw raw, py::handle timeout) { flush(*raw, to_timeout_ms(timeout)); })
      .def("flush_start",
           [](Raw raw, py::handle timeout, py::handle reader, int64_t cookie) {
             raw->alive().flush_start(to_timeout_ms(timeout), queue_from(reader)->get(), cookie);
           })
      .def("rtt_now", &rtt_ns)
      .def("wait_capacity_now",
           [](Raw raw, int64_t message_bytes, py::handle timeout) {
             raw->alive();
             const Call call(*raw);
             wait_for_room(*raw, message_bytes, to_timeout_ms(timeout));
           })
      .def("notify_capacity",
           [](Raw raw, int64_t message_bytes, py::handle reader, int64_t cookie) {
             raw->alive().notify_capacity(message_bytes, queue_from(reader)->get(), cookie);
           })
      .def("drain_now",
           [](Raw raw, py::handle timeout) {
             wait_in_call(*raw, &cpp::Connection::drain, to_timeout_ms(timeout));
           })
      .def("drain_start", [](Raw raw, py::handle timeout) {
        const int32_t timeout_ms = to_timeout_ms(timeout);
        without_gil(*raw, [=](cpp::Connection& c) { c.drain_start(timeout_ms); });
      });
}

// The rest.
void bind_state(py::class_<RawConnection>& type) {
  using Raw = Bound<RawConnection>;
  type.def("start", [](Raw raw) { without_gil(*raw, [](cpp::Connection& c) { c.start(); }); })
      .def("state",
           [](Raw raw) {
             return raw->connection.get() ? raw->connection.state() : MARTLET_STATE_CLOSED;
           })
      .def("close_now",
           [](Raw raw) {
             if (raw->connection.get() == nullptr) return;
             without_gil(*raw, [](cpp::Connection& c) { c.close(); });
           })
      .def("free_now",
           [](Raw raw) {
             raw->over = true;
             raw->free_if_over();
           })
      .def("new_inbox_now", [](Raw raw) { return raw->alive().new_inbox(); })
      .def("max_payload_now",
           [](Raw raw) {
             return raw->connection.get() ? raw->connection.max_payload() : raw->max_payload;
           })
      .def("statistics_json",
           [](Raw raw) {
             if (raw->connection.get() == nullptr) return raw->statistics;
             return without_gil(*raw, [](cpp::Connection& c) { return c.statistics(); });
           })
      .def("descriptor", [](Raw raw) { return raw->alive().descriptor(); })
      .def("turn", &turn);
}

}  // namespace

RawConnection::~RawConnection() {
  py::gil_scoped_release release;
  connection.reset();
}

cpp::Connection& RawConnection::alive() {
  if (connection.get() == nullptr) throw cpp::Error(MARTLET_ERR_CLOSED, "the connection is closed");
  return connection;
}

void RawConnection::free_if_over() {
  if (calls > 0 || connection.get() == nullptr) return;
  try {
    max_payload = connection.max_payload();
    statistics = connection.statistics();
  } catch (const cpp::Error&) {
    return;  // A child's copy: inert, and the parent's to end.
  }
  cpp::Connection ended = std::move(connection);
  const std::vector<std::unique_ptr<CallQueue>> queues = std::move(idle_calls);
  idle_calls.clear();
  const WithoutGil without;
  ended.reset();
}

RawConnection* to_connection(PyObject* object) {
  if (!PyObject_TypeCheck(object, connection_type)) {
    PyErr_Format(PyExc_TypeError, "a Connection is needed, not %.100s", Py_TYPE(object)->tp_name);
    return nullptr;
  }
  // The class is ours and has one base, so its value lies where pybind11 keeps the first holder.
  py::detail::instance* const instance = reinterpret_cast<py::detail::instance*>(object);
  void* const value = instance->simple_layout ? instance->simple_value_holder[0]
                                              : instance->nonsimple.values_and_holders[0];
  RawConnection* const raw = static_cast<RawConnection*>(value);
  if (raw != nullptr && raw->connection.get() != nullptr) return raw;
  if (raw == nullptr) {
    raise_status(MARTLET_ERR_INVALID_HANDLE, "the object was not initialised");
  } else {
    raise_status(MARTLET_ERR_CLOSED, "the connection is closed");
  }
  return nullptr;
}

bool is_done_awaitable(PyObject* object) { return object == done_object; }

void bind_connection(py::module_& module) {
  bind_notifier(module);
  py::class_<RawConnection> type(module, "Connection");
  type.def(py::init(&make_connection), py::arg("options"), py::arg("server"), py::arg("events"));
  bind_calls(type);
  bind_state(type);
  module.def("failure_text", [](int32_t status) { return failure_text(status, "failed"); });
  module.def("request_failure_text",
             [](int32_t status, std::string_view subject, py::handle timeout) {
               return request_failure_text(status, subject, to_timeout_ms(timeout));
             });
  connection_type = reinterpret_cast<PyTypeObject*>(type.ptr());
  if (!make_done(module.ptr())) throw py::error_already_set();
  for (PyMethodDef& method : publish_methods) {
    PyObject* const descriptor = PyDescr_NewMethod(connection_type, &method);
    if (descriptor == nullptr) throw py::error_already_set();
    type.attr(method.ml_name) = py::reinterpret_steal<py::object>(descriptor);
  }
}

}  // namespace martlet::python
