// SPDX-License-Identifier: Apache-2.0
//
// Owns the iteration by `async for`: an awaitable made by hand, that gives a message at once while
// a batch is at hand, waits on a future of the loop when there is none, and gives the loop a turn
// between two batches. And what the loop runs when the notifier's descriptor is readable.
#include "reader_aio.hpp"

#include "connection_binding.hpp"

namespace martlet::python {
namespace {

struct AwaiterObject {
  PyObject_HEAD ReaderObject* reader;
  PyObject* future;  // What was given to the loop last; null between.
};

AwaiterObject* awaiter_of(PyObject* self) { return reinterpret_cast<AwaiterObject*>(self); }

PyTypeObject*& awaiter_type() {
  static PyTypeObject* type = nullptr;
  return type;
}

// Freed ones: one is made for each message of an `async for`. Guarded by the GIL.
constexpr int free_awaiters_max = 16;
AwaiterObject* free_awaiters[free_awaiters_max];
int free_awaiters_count = 0;

void forget_future(AwaiterObject* awaiter) {
  if (awaiter->future == nullptr) return;
  if (awaiter->reader->waiter == awaiter->future) Py_CLEAR(awaiter->reader->waiter);
  Py_CLEAR(awaiter->future);
}

bool is_done(PyObject* future) {
  PyObject* const done = PyObject_CallMethod(future, "done", nullptr);
  const bool result = done != nullptr && PyObject_IsTrue(done) == 1;
  Py_XDECREF(done);
  return result;
}

// A future that the loop waits on, marked as `await` would mark it.
PyObject* make_future(AwaiterObject* awaiter) {
  ReaderObject* const reader = awaiter->reader;
  if (reader->waiter != nullptr && !is_done(reader->waiter)) {
    return raise_status(MARTLET_ERR_STATE,
                        "another task waits on this subscription: one at a time");
  }
  if (reader->loop == nullptr || reader->loop == Py_None) {
    return raise_status(MARTLET_ERR_STATE, "the reader has no event loop");
  }
  PyObject* const future = PyObject_CallMethod(reader->loop, "create_future", nullptr);
  if (future == nullptr) return nullptr;
  if (PyObject_SetAttrString(future, "_asyncio_future_blocking", Py_True) != 0) {
    Py_DECREF(future);
    return nullptr;
  }
  Py_XDECREF(reader->waiter);
  reader->waiter = new_ref(future);
  awaiter->future = new_ref(future);
  return future;
}

enum class Step { message, wait, failed };

// One step: a message, or something that the loop is to wait on (a future, or None for one turn).
Step advance(AwaiterObject* awaiter, PyObject** out) {
  ReaderObject* const reader = awaiter->reader;
  forget_future(awaiter);
  if (reader->state == nullptr)
    return raise_status(MARTLET_ERR_CLOSED, "not initialised"), Step::failed;
  for (;;) {
    *out = take_message(reader);
    if (*out != nullptr) return Step::message;
    if (PyErr_Occurred() != nullptr) return Step::failed;
    if (reader->state->ended) {
      PyErr_SetNone(PyExc_StopAsyncIteration);
      return Step::failed;
    }
    const martlet_status status = poll_batch(reader, 0);
    if (status < 0) return Step::failed;
    if (status == MARTLET_OK && reader->state->owes_turn) {
      reader->state->owes_turn = false;
      *out = new_ref(Py_None);
      return Step::wait;
    }
    if (status == MARTLET_AGAIN) {
      reader->state->owes_turn = false;
      *out = make_future(awaiter);
      return *out != nullptr ? Step::wait : Step::failed;
    }
  }
}

#if PY_VERSION_HEX >= 0x030A0000
PySendResult awaiter_send(PyObject* self, PyObject*, PyObject** result) {
  switch (advance(awaiter_of(self), result)) {
    case Step::message:
      return PYGEN_RETURN;
    case Step::wait:
      return PYGEN_NEXT;
    case Step::failed:
      break;
  }
  *result = nullptr;
  return PYGEN_ERROR;
}
#endif

PyObject* awaiter_next(PyObject* self) {
  PyObject* value = nullptr;
  switch (advance(awaiter_of(self), &value)) {
    case Step::wait:
      return value;
    case Step::failed:
      return nullptr;
    case Step::message:
      break;
  }
  PyErr_SetObject(PyExc_StopIteration, value);
  Py_DECREF(value);
  return nullptr;
}

PyObject* awaiter_send_method(PyObject* self, PyObject*) { return awaiter_next(self); }

// A task that is cancelled throws into us: the future is not ours any more.
PyObject* awaiter_throw(PyObject* self, PyObject* args) {
  PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
  if (!PyArg_ParseTuple(args, "O|OO:throw", &type, &value, &traceback)) return nullptr;
  forget_future(awaiter_of(self));
  if (PyExceptionInstance_Check(type)) {
    PyErr_SetObject(PyExceptionInstance_Class(type), type);
  } else {
    PyErr_SetObject(type, value != nullptr ? value : Py_None);
  }
  return nullptr;
}

PyObject* awaiter_close(PyObject* self, PyObject*) {
  forget_future(awaiter_of(self));
  Py_RETURN_NONE;
}

int awaiter_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(reinterpret_cast<PyObject*>(awaiter_of(self)->reader));
  Py_VISIT(awaiter_of(self)->future);
  return 0;
}

void awaiter_dealloc(PyObject* self) {
  PyTypeObject* const type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  forget_future(awaiter_of(self));
  Py_CLEAR(awaiter_of(self)->reader);
  if (free_awaiters_count < free_awaiters_max) {
    free_awaiters[free_awaiters_count++] = awaiter_of(self);
  } else {
    PyObject_GC_Del(self);
  }
  Py_DECREF(type);
}

PyMethodDef awaiter_methods[] = {
    {"send", awaiter_send_method, METH_O, nullptr},
    {"throw", awaiter_throw, METH_VARARGS, nullptr},
    {"close", awaiter_close, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot awaiter_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(awaiter_dealloc)},
    {Py_tp_traverse, reinterpret_cast<void*>(awaiter_traverse)},
    {Py_tp_methods, awaiter_methods},
    {Py_tp_iter, reinterpret_cast<void*>(PyObject_SelfIter)},
    {Py_tp_iternext, reinterpret_cast<void*>(awaiter_next)},
    {Py_am_await, reinterpret_cast<void*>(PyObject_SelfIter)},
#if PY_VERSION_HEX >= 0x030A0000
    {Py_am_send, reinterpret_cast<void*>(awaiter_send)},
#endif
    {0, nullptr},
};

PyObject* start_awaiter(PyObject* self) {
  AwaiterObject* awaiter;
  if (free_awaiters_count > 0) {
    awaiter = free_awaiters[--free_awaiters_count];
    PyObject_Init(reinterpret_cast<PyObject*>(awaiter), awaiter_type());
  } else {
    awaiter = PyObject_GC_New(AwaiterObject, awaiter_type());
    if (awaiter == nullptr) return nullptr;
  }
  awaiter->reader = reader_of(new_ref(self));
  awaiter->future = nullptr;
  PyObject_GC_Track(reinterpret_cast<PyObject*>(awaiter));
  return reinterpret_cast<PyObject*>(awaiter);
}

// What a callback gave may be a coroutine: whoever listens awaits it.
void hand_over_result(ReaderObject* reader, PyObject* result) {
  if (reader->on_result == nullptr || reader->on_result == Py_None) return;
  PyObject* const taken = PyObject_CallFunctionObjArgs(reader->on_result, result, nullptr);
  if (taken == nullptr) hand_over_exception(reader->on_error, reader->on_result);
  Py_XDECREF(taken);
}

// Gives each message at hand to the reader's callback (and what is none to on_event); more than one
// batch waits for the loop's next turn.
void run_callback(ReaderObject* reader) {
  const martlet_status status =
      reader->state->batch == nullptr ? poll_batch(reader, 0) : MARTLET_OK;
  PyObject* const callback = new_ref(reader->callback != nullptr ? reader->callback : Py_None);
  if (status != MARTLET_OK) {
    if (status < 0) PyErr_WriteUnraisable(callback);
    Py_DECREF(callback);
    return;
  }
  for (;;) {
    PyObject* const message = take_message(reader);
    if (message == nullptr) break;
    PyObject* const result = PyObject_CallOneArg(callback, message);
    Py_DECREF(message);
    if (result == nullptr) {
      hand_over_exception(reader->on_error, callback);
    } else if (result != Py_None && !is_done_awaitable(result)) {
      hand_over_result(reader, result);
    }
    Py_XDECREF(result);
    if (reader->state == nullptr) break;
  }
  if (PyErr_Occurred() != nullptr) PyErr_WriteUnraisable(callback);
  Py_DECREF(callback);
  // The queue tells again only after a poll has found it empty; what that poll may bring has to
  // wait for the loop's next turn.
  if (reader->state->ended) return;
  const martlet_status more = poll_batch(reader, 0);
  if (more == MARTLET_OK) reader->state->notifier->note(reader->state->number);
  if (more < 0) PyErr_WriteUnraisable(nullptr);
}

void wake_reader(ReaderObject* reader) {
  const bool has_callback = reader->callback != nullptr && reader->callback != Py_None;
  if (has_callback || reader->state->completions) return run_callback(reader);
  PyObject* const waiter = reader->waiter;
  if (waiter == nullptr) return;
  reader->waiter = nullptr;
  if (!is_done(waiter)) {
    PyObject* const result = PyObject_CallMethod(waiter, "set_result", "O", Py_None);
    if (result == nullptr) PyErr_WriteUnraisable(waiter);
    Py_XDECREF(result);
  }
  if (PyErr_Occurred() != nullptr) PyErr_WriteUnraisable(waiter);
  Py_DECREF(waiter);
}

}  // namespace

void drain_notifier(Notifier& notifier) {
  for (const int64_t number : notifier.take()) {
    ReaderObject* const reader = notifier.find(number);
    if (reader == nullptr || reader->state == nullptr) continue;
    Py_INCREF(reader);
    wake_reader(reader);
    Py_DECREF(reader);
  }
}

PyObject* make_aio_reader_type(PyObject* module) {
  static PyType_Spec awaiter_spec = {"martlet._raw.Awaiter", sizeof(AwaiterObject), 0,
                                     type_flags_closed | Py_TPFLAGS_HAVE_GC, awaiter_slots};
  PyObject* const awaiter = PyType_FromSpec(&awaiter_spec);
  if (awaiter == nullptr || !add_to_module(module, "Awaiter", awaiter)) return nullptr;
  awaiter_type() = reinterpret_cast<PyTypeObject*>(awaiter);

  static PyType_Slot slots[] = {
      {Py_am_aiter, reinterpret_cast<void*>(PyObject_SelfIter)},
      {Py_am_anext, reinterpret_cast<void*>(start_awaiter)},
      {Py_tp_doc, const_cast<char*>("A reader that is iterated by `async for`.")},
      {0, nullptr},
  };
  static PyType_Spec spec = {"martlet._raw.AioReader", sizeof(ReaderObject), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};
  PyObject* const bases = PyTuple_Pack(1, reinterpret_cast<PyObject*>(reader_base_type()));
  PyObject* const type = bases != nullptr ? PyType_FromSpecWithBases(&spec, bases) : nullptr;
  Py_XDECREF(bases);
  return type;
}

}  // namespace martlet::python
