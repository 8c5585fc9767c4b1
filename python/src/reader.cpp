// SPDX-License-Identifier: Apache-2.0
//
// Owns what both readers share, and the iteration by `for`.
#include "reader.hpp"

#include <structmember.h>

#include <cstddef>
#include <utility>

#include "connection_binding.hpp"

namespace martlet::python {

ReaderObject* to_reader(PyObject* object) {
  if (PyObject_TypeCheck(object, reader_base_type())) return reader_of(object);
  PyErr_Format(PyExc_TypeError, "a reader is needed, not %.100s", Py_TYPE(object)->tp_name);
  return nullptr;
}

PyTypeObject*& reader_base_type() {
  static PyTypeObject* type = nullptr;
  return type;
}

cpp::Queue* queue_of(ReaderObject* reader) {
  if (reader->state != nullptr && reader->state->queue) return &*reader->state->queue;
  raise_status(MARTLET_ERR_CLOSED, "the reader is closed, or was not initialised");
  return nullptr;
}

// --- taking ---

const martlet_descriptor* next_at_hand(ReaderObject* reader) {
  ReaderState& state = *reader->state;
  if (state.batch == nullptr) return nullptr;
  if (state.next < state.batch->count()) return &state.batch->at(state.next++);
  state.drop_batch();
  state.owes_turn = true;
  return nullptr;
}

namespace {

// Waits until the queue has an entry, and leaves it there. What is taken while other threads run
// Python would be neither pending nor held until this one has the GIL again, and a drain that
// counts just then would not see it.
martlet_status wait_for_entry(const cpp::Queue& queue, int32_t timeout_ms) {
  alignas(8) char no_room[8];
  martlet_batch_info info{};
  info.info_bytes = sizeof info;
  const martlet_status status =
      martlet_queue_poll_into(queue.get(), no_room, 0, 1, timeout_ms, &info, nullptr);
  return status == MARTLET_ERR_BUFFER_TOO_SMALL ? MARTLET_OK : status;
}

}  // namespace

martlet_status poll_batch(ReaderObject* reader, int64_t timeout_ms) {
  cpp::Queue* const queue = queue_of(reader);
  if (queue == nullptr) return MARTLET_ERR_CLOSED;
  ReaderState& state = *reader->state;
  if (state.polling) {
    raise_status(MARTLET_ERR_STATE, "another thread waits on this reader: one at a time");
    return MARTLET_ERR_STATE;
  }
  martlet_batch* batch = nullptr;
  cpp::ErrorOut error;
  // What is there already needs no waiting, and so no release of the GIL.
  martlet_status status = martlet_queue_poll(queue->get(), batch_messages_max, 0, &batch, error);
  while (status == MARTLET_AGAIN && timeout_ms != 0) {
    state.polling = true;
    status = wait_interruptibly(timeout_ms,
                                [&](int32_t slice_ms) { return wait_for_entry(*queue, slice_ms); });
    state.polling = false;
    if (status != MARTLET_OK) break;
    status = martlet_queue_poll(queue->get(), batch_messages_max, 0, &batch, error);
  }
  if (status == MARTLET_OK) {
    state.drop_batch();
    state.batch = new SharedBatch(cpp::Batch(batch), reader->connection);
  } else if (status == MARTLET_DONE) {
    state.ended = true;
  } else if (status < 0 && PyErr_Occurred() == nullptr) {
    raise_status(status, error.text(status));
  }
  return status;
}

PyObject* make_item(ReaderObject* reader, const martlet_descriptor& descriptor) {
  PyObject* const message = make_message(reader->message_type, reader->state->batch, descriptor);
  if (message == nullptr) return nullptr;
  return Py_BuildValue("(iiLN)", descriptor.kind, descriptor.status,
                       static_cast<long long>(descriptor.cookie), message);
}

namespace {

// Tells whoever listens of a descriptor that is no message. False with an exception.
bool tell_event(ReaderObject* reader, const martlet_descriptor& descriptor) {
  if (descriptor.kind == MARTLET_KIND_SUBSCRIPTION_END) reader->state->ended = true;
  if (reader->on_event == nullptr || reader->on_event == Py_None) return true;
  PyObject* const item = make_item(reader, descriptor);
  if (item == nullptr) return false;
  PyObject* const result = PyObject_Call(reader->on_event, item, nullptr);
  Py_DECREF(item);
  Py_XDECREF(result);
  return result != nullptr;
}

// Is it a message, or an answer to a request for many? The last of those ends the reader.
bool is_handed_out(ReaderState& state, const martlet_descriptor& descriptor) {
  if (state.completions) return false;
  if (descriptor.kind != MARTLET_KIND_REPLY) return descriptor.kind == MARTLET_KIND_MESSAGE;
  state.ended = (descriptor.flags & MARTLET_FLAG_MORE_FOLLOWS) == 0;
  return descriptor.status == MARTLET_OK;
}

}  // namespace

PyObject* take_message(ReaderObject* reader) {
  while (const martlet_descriptor* descriptor = next_at_hand(reader)) {
    if (is_handed_out(*reader->state, *descriptor))
      return make_message(reader->message_type, reader->state->batch, *descriptor);
    if (!tell_event(reader, *descriptor)) return nullptr;
  }
  return nullptr;
}

void hand_over_exception(PyObject* on_error, PyObject* context) {
  PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
  PyErr_Fetch(&type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  if (traceback != nullptr) PyException_SetTraceback(value, traceback);
  PyObject* result = nullptr;
  if (on_error != nullptr && on_error != Py_None)
    result = PyObject_CallFunctionObjArgs(on_error, value, nullptr);
  if (result == nullptr) {
    if (PyErr_Occurred() == nullptr)
      PyErr_Restore(new_ref(type), new_ref(value), new_ref(traceback));
    PyErr_WriteUnraisable(context);
  }
  Py_XDECREF(result);
  Py_XDECREF(type);
  Py_XDECREF(value);
  Py_XDECREF(traceback);
}

namespace {

// Waits for a message. Null: with an exception, or without one when the time has passed or nothing
// can follow.
PyObject* wait_message(ReaderObject* reader, int64_t timeout_ms) {
  for (;;) {
    PyObject* const message = take_message(reader);
    if (message != nullptr || PyErr_Occurred() != nullptr) return message;
    if (reader->state->ended) return nullptr;
    const martlet_status status = poll_batch(reader, timeout_ms);
    if (status != MARTLET_OK) return nullptr;
  }
}

// Has it a queue, or had one? False with an exception.
bool is_readable(ReaderObject* reader) {
  return (reader->state != nullptr && reader->state->ended) || queue_of(reader) != nullptr;
}

PyObject* iterate(PyObject* self) {
  if (!is_readable(reader_of(self))) return nullptr;
  return wait_message(reader_of(self), -1);  // Null without an exception ends the iteration.
}

// --- methods ---

// The argument `timeout` of next_msg, by its place or by its name: borrowed, and null when it was
// not given. False, with an exception, for anything else.
bool read_timeout(PyObject* const* args, Py_ssize_t count, PyObject* keywords, PyObject*& out) {
  const Py_ssize_t keyword_count = keywords != nullptr ? PyTuple_GET_SIZE(keywords) : 0;
  if (count + keyword_count > 1) {
    PyErr_Format(PyExc_TypeError, "next_msg() takes at most 1 argument (%zd given)",
                 count + keyword_count);
    return false;
  }
  if (keyword_count == 1) {
    PyObject* const name = PyTuple_GET_ITEM(keywords, 0);
    if (PyUnicode_CompareWithASCIIString(name, "timeout") != 0) {
      PyErr_Format(PyExc_TypeError, "next_msg() got an unexpected argument %R", name);
      return false;
    }
  }
  if (count + keyword_count == 1) out = args[0];
  return true;
}

// next_msg(timeout=1.0). Called once for each message: nothing of it is written in Python.
PyObject* next_msg(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  ReaderObject* const reader = reader_of(self);
  PyObject* timeout = nullptr;
  if (!read_timeout(args, count, keywords, timeout)) return nullptr;
  const int64_t timeout_ms = timeout != nullptr ? timeout_ms_of(timeout) : 1000;
  if (timeout_ms == -2 || !is_readable(reader)) return nullptr;
  PyObject* const message = wait_message(reader, timeout_ms);
  if (message != nullptr || PyErr_Occurred() != nullptr) return message;
  if (reader->state->ended) return raise_status(MARTLET_ERR_CLOSED, "the subscription has ended");
  return raise_status(MARTLET_ERR_TIMEOUT, "no message in time");
}

// The message that needs no waiting, or None; with a timeout of 0 the queue is asked too. Checks
// the timeout for a wait that begins elsewhere.
PyObject* next_at_once(PyObject* self, PyObject* timeout) {
  ReaderObject* const reader = reader_of(self);
  const int64_t timeout_ms = timeout_ms_of(timeout);
  if (timeout_ms == -2 || !is_readable(reader)) return nullptr;
  PyObject* const message = timeout_ms == 0 ? wait_message(reader, 0) : take_message(reader);
  if (message != nullptr || PyErr_Occurred() != nullptr) return message;
  Py_RETURN_NONE;
}

// The messages of one batch as a list; waits for it.
PyObject* fetch(PyObject* self, PyObject* timeout) {
  ReaderObject* const reader = reader_of(self);
  const int64_t timeout_ms = timeout_ms_of(timeout);
  if (timeout_ms == -2 || !is_readable(reader)) return nullptr;
  PyObject* const messages = PyList_New(0);
  if (messages == nullptr) return nullptr;
  PyObject* message = wait_message(reader, timeout_ms);
  while (message != nullptr) {
    const bool appended = PyList_Append(messages, message) == 0;
    Py_DECREF(message);
    if (!appended) break;
    message = take_message(reader);
  }
  if (PyErr_Occurred() != nullptr) {
    Py_DECREF(messages);
    return nullptr;
  }
  return messages;
}

// The messages that need no waiting and no poll, as a list.
PyObject* take_at_hand(PyObject* self, PyObject*) {
  ReaderObject* const reader = reader_of(self);
  if (!is_readable(reader)) return nullptr;
  PyObject* const messages = PyList_New(0);
  while (messages != nullptr) {
    PyObject* const message = take_message(reader);
    if (message == nullptr) break;
    const bool appended = PyList_Append(messages, message) == 0;
    Py_DECREF(message);
    if (!appended) break;
  }
  if (PyErr_Occurred() == nullptr) return messages;
  Py_XDECREF(messages);
  return nullptr;
}

PyObject* subscribe(PyObject* self, PyObject* args) {
  ReaderObject* const reader = reader_of(self);
  PyObject *connection = nullptr, *subject = nullptr, *group = nullptr, *options = nullptr,
           *target = nullptr;
  long long cookie = 0;
  if (!PyArg_ParseTuple(args, "OOOO|OL:subscribe", &connection, &subject, &group, &options, &target,
                        &cookie)) {
    return nullptr;
  }
  std::string_view subject_text, group_text, options_text;
  if (!text_of(subject, "subject", subject_text) || !text_of(group, "queue", group_text) ||
      !text_of(options, "options", options_text)) {
    return nullptr;
  }
  ReaderObject* const receiver = target != nullptr ? to_reader(target) : reader;
  cpp::Queue* const queue = receiver != nullptr ? queue_of(receiver) : nullptr;
  if (queue == nullptr || queue_of(reader) == nullptr) return nullptr;
  RawConnection* const raw = queue != nullptr ? to_connection(connection) : nullptr;
  if (raw == nullptr) return nullptr;
  try {
    reader->state->subscription.emplace(raw->connection.get(), subject_text, group_text,
                                        options_text, queue->get(), cookie);
  } catch (const cpp::Error& error) {
    return raise_error(error);
  }
  Py_RETURN_NONE;
}

// Runs `call` on the subscription, if there is one.
template <typename Call>
PyObject* on_subscription(PyObject* self, Call&& call) {
  ReaderState* const state = reader_of(self)->state;
  if (state == nullptr || !state->subscription) {
    return raise_status(MARTLET_ERR_CLOSED, "the reader has no subscription");
  }
  try {
    return call(*state->subscription);
  } catch (const cpp::Error& error) {
    return raise_error(error);
  }
}

PyObject* unsubscribe(PyObject* self, PyObject*) {
  return on_subscription(self, [](cpp::Subscription& subscription) {
    subscription.unsubscribe();
    return new_ref(Py_None);
  });
}

PyObject* auto_unsubscribe(PyObject* self, PyObject* messages_max) {
  const long long count = PyLong_AsLongLong(messages_max);
  if (count == -1 && PyErr_Occurred() != nullptr) return nullptr;
  return on_subscription(self, [count](cpp::Subscription& subscription) {
    subscription.auto_unsubscribe(count);
    return new_ref(Py_None);
  });
}

PyObject* drain_subscription(PyObject* self, PyObject*) {
  return on_subscription(self, [](cpp::Subscription& subscription) {
    subscription.drain();
    return new_ref(Py_None);
  });
}

// (pending messages, pending bytes, dropped, delivered). Messages of the batch at hand count as
// pending.
PyObject* counts(PyObject* self, PyObject*) {
  const ReaderState* const state = reader_of(self)->state;
  if (state == nullptr) return raise_status(MARTLET_ERR_CLOSED, "the reader has no subscription");
  try {
    const cpp::SubscriptionCounts counted =
        state->subscription ? state->subscription->counts() : state->last_counts;
    return Py_BuildValue("(LLLL)", static_cast<long long>(counted.pending_messages + state->held()),
                         static_cast<long long>(counted.pending_bytes),
                         static_cast<long long>(counted.dropped_messages),
                         static_cast<long long>(counted.delivered_messages));
  } catch (const cpp::Error& error) {
    return raise_error(error);
  }
}

// let_go(): a reader whose connection is closed and whose queue holds no message gives its queue
// and its subscription back, and with them what they hold of the connection. The counts stay.
PyObject* let_go(PyObject* self, PyObject*) {
  ReaderState* const state = reader_of(self)->state;
  if (state == nullptr || !state->queue || state->polling) Py_RETURN_NONE;
  try {
    if (state->subscription) state->last_counts = state->subscription->counts();
    state->last_counts.pending_messages = state->last_counts.pending_bytes = 0;
  } catch (const cpp::Error& error) {
    return raise_error(error);
  }
  state->ended = true;
  std::optional<cpp::Subscription> subscription = std::exchange(state->subscription, std::nullopt);
  std::optional<cpp::Queue> queue = std::exchange(state->queue, std::nullopt);
  {
    const WithoutGil without;  // Unsubscribing takes the connection's locks.
    subscription.reset();
    queue.reset();
  }
  Py_RETURN_NONE;
}

PyObject* held(PyObject* self, PyObject*) {
  const ReaderState* const state = reader_of(self)->state;
  return PyLong_FromLongLong(state != nullptr ? state->held() : 0);
}

PyObject* close_reader(PyObject* self, PyObject*) {
  ReaderState* const state = reader_of(self)->state;
  if (state != nullptr && state->queue) {
    state->queue->close();
    if (state->notifier != nullptr) state->notifier->note(state->number);
  }
  Py_RETURN_NONE;
}

PyObject* mark_ended(PyObject* self, PyObject*) {
  if (ReaderState* const state = reader_of(self)->state) state->ended = true;
  Py_RETURN_NONE;
}

PyObject* get_ended(PyObject* self, void*) {
  const ReaderState* const state = reader_of(self)->state;
  return PyBool_FromLong(state == nullptr || state->ended);
}

void on_wake(void* user_data) {
  const WakeTarget* const target = static_cast<const WakeTarget*>(user_data);
  target->notifier->note(target->number);
}

void free_wake(void* user_data) { delete static_cast<WakeTarget*>(user_data); }

}  // namespace

// --- both types ---

// Reader(connection=None, options="", notifier=None, completions=False)
int reader_init(PyObject* self, PyObject* args, PyObject* kwargs) {
  ReaderObject* const reader = reader_of(self);
  PyObject *connection = Py_None, *options = nullptr, *notifier = Py_None;
  int completions = 0;
  static const char* names[] = {"connection", "options", "notifier", "completions", nullptr};
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OUOp", const_cast<char**>(names), &connection,
                                   &options, &notifier, &completions)) {
    return -1;
  }
  if (reader->state != nullptr)
    return raise_status(MARTLET_ERR_STATE, "a reader is initialised once"), -1;
  std::string_view options_text;
  if (options != nullptr && !text_of(options, "options", options_text)) return -1;
  try {
    auto state = std::make_unique<ReaderState>();
    state->queue.emplace(options_text);
    state->completions = completions != 0;
    if (notifier != Py_None) {
      state->notifier = py::cast<std::shared_ptr<Notifier>>(py::handle(notifier));
      state->number = state->notifier->add(reader);
      auto target = std::make_unique<WakeTarget>(WakeTarget{state->notifier, state->number});
      state->queue->set_wake(on_wake, target.get(), free_wake);
      target.release();
    }
    reader->message_type = notifier != Py_None ? message_types().aio : message_types().sync;
    reader->connection = connection != Py_None ? new_ref(connection) : nullptr;
    reader->state = state.release();
  } catch (const cpp::Error& error) {
    raise_error(error);
    return -1;
  } catch (const py::cast_error&) {
    PyErr_SetString(PyExc_TypeError, "notifier must be a Notifier");
    return -1;
  }
  return 0;
}

int reader_traverse(PyObject* self, visitproc visit, void* arg) {
  ReaderObject* const reader = reader_of(self);
  Py_VISIT(reader->connection);
  Py_VISIT(reader->loop);
  Py_VISIT(reader->waiter);
  Py_VISIT(reader->callback);
  Py_VISIT(reader->on_event);
  Py_VISIT(reader->on_error);
  Py_VISIT(reader->on_result);
  Py_VISIT(Py_TYPE(self));
  return 0;
}

int reader_clear(PyObject* self) {
  ReaderObject* const reader = reader_of(self);
  Py_CLEAR(reader->connection);
  Py_CLEAR(reader->loop);
  Py_CLEAR(reader->waiter);
  Py_CLEAR(reader->callback);
  Py_CLEAR(reader->on_event);
  Py_CLEAR(reader->on_error);
  Py_CLEAR(reader->on_result);
  return 0;
}

void reader_dealloc(PyObject* self) {
  PyTypeObject* const type = Py_TYPE(self);
  ReaderObject* const reader = reader_of(self);
  PyObject_GC_UnTrack(self);
  if (reader->weak_references != nullptr) PyObject_ClearWeakRefs(self);
  if (ReaderState* const state = reader->state) {
    if (state->notifier != nullptr) state->notifier->remove(state->number);
    state->drop_batch();
    WithoutGil without;  // Unsubscribing takes the connection's locks.
    state->subscription.reset();
    state->queue.reset();
    delete state;
  }
  reader->state = nullptr;
  reader_clear(self);
  type->tp_free(self);
  Py_DECREF(type);
}

PyMethodDef reader_methods[] = {
    {"next_at_once", next_at_once, METH_O, nullptr},
    {"fetch", fetch, METH_O,
     "fetch(timeout, /)\n--\n\nThe messages of one batch as a list; waits for it."},
    {"take_at_hand", take_at_hand, METH_NOARGS, nullptr},
    {"dispatch", dispatch_reader, METH_VARARGS,
     "dispatch(callbacks, on_error, /)\n--\n\nRuns a dispatcher thread."},
    {"subscribe", subscribe, METH_VARARGS,
     "subscribe(connection, subject, queue, options, /)\n--\n\n"},
    {"unsubscribe_now", unsubscribe, METH_NOARGS, "unsubscribe_now()\n--\n\n"},
    {"auto_unsubscribe", auto_unsubscribe, METH_O, "auto_unsubscribe(messages_max, /)\n--\n\n"},
    {"drain_start", drain_subscription, METH_NOARGS, "drain_start()\n--\n\n"},
    {"counts", counts, METH_NOARGS,
     "counts()\n--\n\n(pending messages, pending bytes, dropped, delivered)."},
    {"held", held, METH_NOARGS, nullptr},
    {"mark_ended", mark_ended, METH_NOARGS, nullptr},
    {"let_go", let_go, METH_NOARGS, nullptr},
    {"close_queue", close_reader, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef reader_getters[] = {
    {"ended", get_ended, nullptr, "True when no message can follow.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyMemberDef reader_members[] = {
    {"on_event", T_OBJECT, offsetof(ReaderObject, on_event), 0,
     "Called with (kind, status, cookie, Msg)."},
    {"on_error", T_OBJECT, offsetof(ReaderObject, on_error), 0,
     "Called with what the callback raised (AioReader)."},
    {"on_result", T_OBJECT, offsetof(ReaderObject, on_result), 0,
     "Called with what the callback gave, if that is neither None nor done (AioReader)."},
    {"connection", T_OBJECT, offsetof(ReaderObject, connection), 0,
     "What Msg.respond publishes by, or a weak reference to it."},
    {"callback", T_OBJECT, offsetof(ReaderObject, callback), 0,
     "Called with each message (AioReader)."},
    {"loop", T_OBJECT, offsetof(ReaderObject, loop), 0, "The asyncio loop (AioReader)."},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(ReaderObject, weak_references), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

bool add_reader_types(PyObject* module) {
  constexpr unsigned long flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC;
  static PyType_Slot base_slots[] = {
      {Py_tp_new, reinterpret_cast<void*>(PyType_GenericNew)},
      {Py_tp_init, reinterpret_cast<void*>(reader_init)},
      {Py_tp_dealloc, reinterpret_cast<void*>(reader_dealloc)},
      {Py_tp_traverse, reinterpret_cast<void*>(reader_traverse)},
      {Py_tp_clear, reinterpret_cast<void*>(reader_clear)},
      {Py_tp_methods, reader_methods},
      {Py_tp_getset, reader_getters},
      {Py_tp_members, reader_members},
      {Py_tp_doc, const_cast<char*>("A completion queue and the subscription that feeds it.")},
      {0, nullptr},
  };
  static PyType_Spec base_spec = {"martlet._raw.ReaderBase", sizeof(ReaderObject), 0, flags,
                                  base_slots};
  PyObject* const base = PyType_FromSpec(&base_spec);
  if (base == nullptr || !add_to_module(module, "ReaderBase", base)) return false;
  reader_base_type() = reinterpret_cast<PyTypeObject*>(base);

  static PyMethodDef methods[] = {
      {"next_msg", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(next_msg)),
       METH_FASTCALL | METH_KEYWORDS,
       "next_msg($self, timeout=1.0)\n--\n\n"
       "The next message; waits at most ``timeout`` seconds (None: without limit).\n\n"
       "Raises:\n"
       "    martlet.errors.TimeoutError: Nothing came in time.\n"
       "    martlet.errors.ConnectionClosedError: Nothing can come any more."},
      {nullptr, nullptr, 0, nullptr},
  };
  static PyType_Slot slots[] = {
      {Py_tp_methods, methods},
      {Py_tp_iter, reinterpret_cast<void*>(PyObject_SelfIter)},
      {Py_tp_iternext, reinterpret_cast<void*>(iterate)},
      {Py_tp_doc, const_cast<char*>("A reader that is iterated by `for`.")},
      {0, nullptr},
  };
  static PyType_Spec spec = {"martlet._raw.Reader", sizeof(ReaderObject), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};
  PyObject* const bases = PyTuple_Pack(1, base);
  PyObject* const type = bases != nullptr ? PyType_FromSpecWithBases(&spec, bases) : nullptr;
  Py_XDECREF(bases);
  if (type == nullptr || !add_to_module(module, "Reader", type)) return false;
  PyObject* const aio = make_aio_reader_type(module);
  return aio != nullptr && add_to_module(module, "AioReader", aio);
}

}  // namespace martlet::python
