// SPDX-License-Identifier: Apache-2.0
//
// Owns the life of a dispatcher thread: callbacks are called with what a reader's queue brings, in
// order, until it is closed.
#include "reader.hpp"

namespace martlet::python {
namespace {

// One descriptor on a dispatcher thread.
void dispatch_one(ReaderObject* reader, const martlet_descriptor& descriptor, PyObject* callbacks,
                  PyObject* on_error) {
  PyObject* result = nullptr;
  PyObject* context = reader->on_event;
  if (descriptor.kind == MARTLET_KIND_MESSAGE) {
    PyObject* const cookie = PyLong_FromLongLong(descriptor.cookie);
    PyObject* const callback =
        cookie != nullptr ? new_ref(PyDict_GetItemWithError(callbacks, cookie)) : nullptr;
    Py_XDECREF(cookie);
    if (callback == nullptr) {
      if (PyErr_Occurred() != nullptr) hand_over_exception(on_error, nullptr);
      return;  // Unsubscribed meanwhile.
    }
    PyObject* const message = make_message(reader->message_type, reader->state->batch, descriptor);
    if (message != nullptr) result = PyObject_CallOneArg(callback, message);
    Py_XDECREF(message);
    if (result == nullptr) hand_over_exception(on_error, callback);
    Py_DECREF(callback);
    Py_XDECREF(result);
    return;
  }
  if (context == nullptr || context == Py_None) return;
  PyObject* const item = make_item(reader, descriptor);
  if (item != nullptr) result = PyObject_Call(context, item, nullptr);
  Py_XDECREF(item);
  if (result == nullptr) hand_over_exception(on_error, context);
  Py_XDECREF(result);
}

}  // namespace

PyObject* dispatch_reader(PyObject* self, PyObject* args) {
  ReaderObject* const reader = reader_of(self);
  PyObject *callbacks = nullptr, *on_error = nullptr;
  if (!PyArg_ParseTuple(args, "O!O:dispatch", &PyDict_Type, &callbacks, &on_error)) return nullptr;
  if (queue_of(reader) == nullptr) return nullptr;
  for (;;) {
    const martlet_status status = poll_batch(reader, -1);
    if (status < 0) return nullptr;
    if (status == MARTLET_DONE) Py_RETURN_NONE;
    while (const martlet_descriptor* descriptor = next_at_hand(reader)) {
      reader->state->in_callback = true;
      dispatch_one(reader, *descriptor, callbacks, on_error);
      reader->state->in_callback = false;
    }
  }
}

}  // namespace martlet::python
