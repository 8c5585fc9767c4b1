// SPDX-License-Identifier: Apache-2.0
//
// Owns the Msg types. A freed message waits in a short list for the next one of its type.
#include "message.hpp"

namespace martlet::python {
namespace {

struct MessageObject {
  PyObject_HEAD SharedBatch* batch;
  const martlet_descriptor* descriptor;
  PyObject* data;  // Made when asked for the first time.
};

MessageObject* message_of(PyObject* self) { return reinterpret_cast<MessageObject*>(self); }

// Freed objects of both types: the layouts are the same, the type is set anew. Guarded by the GIL.
constexpr int free_messages_max = 256;
MessageObject* free_messages[free_messages_max];
int free_messages_count = 0;

PyObject* text_from(std::string_view text) {
  return PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "surrogateescape");
}

void message_dealloc(PyObject* self) {
  MessageObject* const message = message_of(self);
  PyTypeObject* const type = Py_TYPE(self);
  message->batch->release();
  Py_XDECREF(message->data);
  if (free_messages_count < free_messages_max) {
    free_messages[free_messages_count++] = message;
  } else {
    PyObject_Free(message);
  }
  Py_DECREF(type);
}

PyObject* get_subject(PyObject* self, void*) {
  return message_of(self)->batch->subject(*message_of(self)->descriptor);
}

PyObject* get_reply(PyObject* self, void*) {
  return text_from(message_of(self)->batch->batch().reply(*message_of(self)->descriptor));
}

PyObject* get_data(PyObject* self, void*) {
  MessageObject* const message = message_of(self);
  if (message->data == nullptr) {
    const std::string_view data = message->batch->batch().data(*message->descriptor);
    message->data = PyBytes_FromStringAndSize(data.data(), static_cast<Py_ssize_t>(data.size()));
    if (message->data == nullptr) return nullptr;
  }
  return new_ref(message->data);
}

PyObject* get_headers(PyObject* self, void*) {
  MessageObject* const message = message_of(self);
  const std::string_view block = message->batch->batch().headers(*message->descriptor);
  if (block.empty() || module_state().headers_factory == nullptr) Py_RETURN_NONE;
  PyObject* const bytes =
      PyBytes_FromStringAndSize(block.data(), static_cast<Py_ssize_t>(block.size()));
  if (bytes == nullptr) return nullptr;
  PyObject* const headers =
      PyObject_CallFunctionObjArgs(module_state().headers_factory, bytes, nullptr);
  Py_DECREF(bytes);
  return headers;
}

PyObject* get_raw_headers(PyObject* self, void*) {
  const std::string_view block =
      message_of(self)->batch->batch().headers(*message_of(self)->descriptor);
  return PyBytes_FromStringAndSize(block.data(), static_cast<Py_ssize_t>(block.size()));
}

PyObject* get_sid(PyObject* self, void*) {
  return PyLong_FromLong(message_of(self)->descriptor->sid);
}

PyObject* get_flags(PyObject* self, void*) {
  return PyLong_FromLong(message_of(self)->descriptor->flags);
}

PyObject* get_received_ns(PyObject* self, void*) {
  return PyLong_FromLongLong(message_of(self)->descriptor->received_ns);
}

PyObject* respond(PyObject* self, PyObject* args, PyObject* kwargs) {
  MessageObject* const message = message_of(self);
  PyObject* payload = nullptr;
  PyObject* headers = Py_None;
  static const char* names[] = {"payload", "headers", nullptr};
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OO:respond", const_cast<char**>(names), &payload,
                                   &headers)) {
    return nullptr;
  }
  const std::string_view reply = message->batch->batch().reply(*message->descriptor);
  if (reply.empty()) return raise_status(MARTLET_ERR_SUBJECT, "the message has no reply subject");
  PyObject* const connection = message->batch->connection();
  if (connection == nullptr)
    return raise_status(MARTLET_ERR_CLOSED, "the message's connection is gone");
  PyObject* const subject = text_from(reply);
  PyObject* const bytes = payload != nullptr ? new_ref(payload) : PyBytes_FromStringAndSize("", 0);
  PyObject* const publish = PyObject_GetAttrString(connection, "publish");
  Py_DECREF(connection);
  PyObject* result = nullptr;
  if (subject != nullptr && bytes != nullptr && publish != nullptr) {
    PyObject* const kw = PyDict_New();
    PyObject* const positional = PyTuple_Pack(2, subject, bytes);
    if (kw != nullptr && positional != nullptr &&
        PyDict_SetItemString(kw, "headers", headers) == 0) {
      result = PyObject_Call(publish, positional, kw);
    }
    Py_XDECREF(kw);
    Py_XDECREF(positional);
  }
  Py_XDECREF(subject);
  Py_XDECREF(bytes);
  Py_XDECREF(publish);
  return result;
}

int get_buffer(PyObject* self, Py_buffer* view, int flags) {
  const std::string_view data =
      message_of(self)->batch->batch().data(*message_of(self)->descriptor);
  return PyBuffer_FillInfo(view, self, const_cast<char*>(data.data() ? data.data() : ""),
                           static_cast<Py_ssize_t>(data.size()), 1, flags);
}

PyObject* message_repr(PyObject* self) {
  PyObject* const subject = get_subject(self, nullptr);
  if (subject == nullptr) return nullptr;
  const Py_ssize_t bytes = message_of(self)->descriptor->data_bytes;
  PyObject* const text = PyUnicode_FromFormat("<Msg subject=%R data=%zd bytes>", subject, bytes);
  Py_DECREF(subject);
  return text;
}

PyGetSetDef getters[] = {
    {"subject", get_subject, nullptr, "The subject (str).", nullptr},
    {"reply", get_reply, nullptr, "The reply subject (str); empty if there is none.", nullptr},
    {"data", get_data, nullptr, "The payload (bytes), copied when first asked for.", nullptr},
    {"headers", get_headers, nullptr, "The headers, or None if the message has none.", nullptr},
    {"header", get_headers, nullptr, "The same as headers.", nullptr},
    {"raw_headers", get_raw_headers, nullptr, "The header block as on the wire (bytes).", nullptr},
    {"sid", get_sid, nullptr, "The number of the subscription in its connection.", nullptr},
    {"flags", get_flags, nullptr, "The flags of the C ABI's descriptor; of a log line its level.",
     nullptr},
    {"received_ns", get_received_ns, nullptr, "When it was read, in ns since 1970.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyMethodDef methods[] = {
    {"respond", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(respond)),
     METH_VARARGS | METH_KEYWORDS,
     "respond(payload=b'', headers=None)\n--\n\nPublishes to the reply subject, as "
     "Connection.publish does."},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(message_dealloc)},
    {Py_tp_getset, getters},
    {Py_tp_methods, methods},
    {Py_tp_repr, reinterpret_cast<void*>(message_repr)},
    {Py_bf_getbuffer, reinterpret_cast<void*>(get_buffer)},
    {Py_tp_doc,
     const_cast<char*>("A message that was received. It can be read as a buffer without a copy.")},
    {0, nullptr},
};

PyTypeObject* make_type(PyObject* module, const char* name, const char* attribute) {
  PyType_Spec spec = {name, sizeof(MessageObject), 0, type_flags_closed, slots};
  PyObject* const type = PyType_FromSpec(&spec);
  if (type == nullptr) return nullptr;
  if (!add_to_module(module, attribute, type)) {
    Py_DECREF(type);
    return nullptr;
  }
  return reinterpret_cast<PyTypeObject*>(type);
}

}  // namespace

SharedBatch::SharedBatch(cpp::Batch batch, PyObject* connection) : batch_(std::move(batch)) {
  if (connection == nullptr || connection == Py_None) return;
  connection_ =
      PyWeakref_CheckRef(connection) ? new_ref(connection) : PyWeakref_NewRef(connection, nullptr);
  if (connection_ == nullptr) PyErr_Clear();
}

PyObject* SharedBatch::connection() const {
  if (connection_ == nullptr) return nullptr;
#if PY_VERSION_HEX >= 0x030D0000
  PyObject* alive = nullptr;
  if (PyWeakref_GetRef(connection_, &alive) < 0) PyErr_Clear();
  return alive;
#else
  PyObject* const alive = PyWeakref_GetObject(connection_);
  return alive != nullptr && alive != Py_None ? new_ref(alive) : nullptr;
#endif
}

PyObject* SharedBatch::subject(const martlet_descriptor& descriptor) {
  const std::string_view text = batch_.subject(descriptor);
  if (cached_subject_ == nullptr || cached_text_ != text) {
    PyObject* const made = text_from(text);
    if (made == nullptr) return nullptr;
    Py_XDECREF(cached_subject_);
    cached_subject_ = made;
    cached_text_ = text;
  }
  return new_ref(cached_subject_);
}

MessageTypes& message_types() {
  static MessageTypes types;
  return types;
}

bool add_message_types(PyObject* module) {
  message_types().sync = make_type(module, "martlet.Msg", "Msg");
  message_types().aio = make_type(module, "martlet.aio.Msg", "AioMsg");
  return message_types().sync != nullptr && message_types().aio != nullptr;
}

PyObject* make_message(PyTypeObject* type, SharedBatch* batch,
                       const martlet_descriptor& descriptor) {
  MessageObject* message;
  if (free_messages_count > 0) {
    message = free_messages[--free_messages_count];
    PyObject_Init(reinterpret_cast<PyObject*>(message), type);
  } else {
    message = PyObject_New(MessageObject, type);
    if (message == nullptr) return nullptr;
  }
  batch->retain();
  message->batch = batch;
  message->descriptor = &descriptor;
  message->data = nullptr;
  return reinterpret_cast<PyObject*>(message);
}

}  // namespace martlet::python
